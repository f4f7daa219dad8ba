"""docker-compose.yml, Dockerfile and .env.example fit together; starting them is docs/how-to/run-with-docker.md's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecowarehouse.postgres.sizing import settings_for
from ecowarehouse.services import config
from ecowarehouse.services.airflow import PARTS
from ecowarehouse.settings import Settings, SettingsError

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if name != "postgres"}


def test_every_part_of_airflow_is_a_service_that_runs_it() -> None:
    assert set(SERVICES) == {"postgres", "init", "upload", "eco", *PARTS}
    for name in PARTS:
        assert SERVICES[name]["command"] == ["part", "run", name]
        assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "eco", "part", "check", name]
        assert SERVICES[name]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}


def test_what_stays_is_watched_and_started_again() -> None:
    for name in ("postgres", "upload", *PARTS):
        assert SERVICES[name]["healthcheck"]["test"], name
        assert SERVICES[name]["restart"] == "unless-stopped", name
        assert SERVICES[name]["mem_limit"], name
        assert SERVICES[name]["logging"]["options"]["max-size"], name
    assert SERVICES["init"]["restart"] == "no"


def test_only_two_pages_have_a_port_and_only_on_this_machine() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {
        "api-server": ["${ECO_API_BIND:-127.0.0.1}:${ECO_API_PORT:-8080}:8080"],
        "upload": ["${ECO_UPLOAD_BIND:-127.0.0.1}:${ECO_UPLOAD_PORT:-8090}:8090"],
    }
    assert "ECO_API_BIND=127.0.0.1\n" in EXAMPLE
    assert "ECO_UPLOAD_BIND=127.0.0.1\n" in EXAMPLE


def test_secrets_come_from_env_and_nowhere_else() -> None:
    for name, service in SERVICES.items():
        for variable, value in service["environment"].items():
            if "SECRET" in variable or "PASSWORD" in variable:
                assert value == "" or re.fullmatch(r"\$\{ECO_SECRET_\w+:?\?[^}]*make env\}", value), (
                    name,
                    variable,
                )
    assert not re.search(r"^ECO_SECRET_\w+=.", EXAMPLE, re.MULTILINE), "an example is a default in the end"


def test_nothing_that_stays_knows_the_admin() -> None:
    for name in ("upload", *PARTS):
        environment = SERVICES[name]["environment"]
        assert environment["ECO_DATABASE_ADMIN"] == environment["ECO_SECRET_DATABASE_ADMIN"] == "", name
    for name in ("init", "eco"):
        assert SERVICES[name]["environment"]["ECO_DATABASE_ADMIN"].startswith("${ECO_DATABASE_ADMIN?"), name


def test_every_variable_is_in_the_example() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    offered = set(re.findall(r"^#? ?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    assert asked - offered == set()
    assert "COMPOSE_PROFILES=postgres\n" in EXAMPLE


def test_no_default_nests_and_no_key_is_newer_than_docker_compose_1() -> None:
    """Versions before 2 end a variable at the first brace, and know neither `required` nor `develop`."""
    assert not re.search(r"\$\{[^}]*\$\{", TEXT)
    for word in ("required:", "develop:", "!reset", "pull_policy:", "include:"):
        assert word not in TEXT


def test_containers_are_not_root_and_cannot_become_it() -> None:
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    for name, service in OURS.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_images_name_their_versions() -> None:
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert "ARG BASE=python:3.11-slim-bookworm\n" in DOCKERFILE
    assert ":latest" not in TEXT + DOCKERFILE


def test_volumes_are_named_and_data_lie_where_the_image_of_18_keeps_them() -> None:
    assert set(COMPOSE["volumes"]) == {"home", "postgres"}
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    for name, service in OURS.items():
        assert service["volumes"][0] == "home:/var/lib/eco", name
        assert service["environment"]["ECO_HOME"] == "/var/lib/eco", name


def test_the_server_has_the_settings_of_the_embedded_one() -> None:
    given = dict(
        item.removeprefix("-c").split("=", 1) for item in SERVICES["postgres"]["command"] if item[:2] == "-c"
    )
    zone = "${TZ:-Asia/Shanghai}"
    assert SERVICES["postgres"]["mem_limit"] == "4g"
    wanted = settings_for(4 * 2**30, zone)
    del wanted["unix_socket_directories"]  # there it has a short path
    assert given == wanted


def test_the_image_installs_what_is_pinned_and_copies_what_is_there() -> None:
    install = re.search(r"pip install.*?runtime\.txt", DOCKERFILE, re.DOTALL)
    assert install is not None
    assert "--require-hashes" in install[0]
    assert "--no-deps" in install[0]
    allowed = {line.removeprefix("!") for line in _lines(ROOT / ".dockerignore") if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(\S+) \S+$", DOCKERFILE, re.MULTILINE)
    assert {"plugins", "dags", "dbt_project", "expectations", "city"} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists(), source
        assert source in allowed, source
    assert _lines(ROOT / ".dockerignore")[1] == "*"


def test_the_house_itself_can_be_installed_from_the_pins() -> None:
    assert any(
        line.startswith("setuptools==") for line in _lines(ROOT / "requirements" / "runtime.txt")
    )  # the image's last step builds without network


def test_make_env_fills_in_every_password_and_overwrites_nothing(tmp_path: Path) -> None:
    for name in ("Makefile", ".env.example"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(["make", "-s", "env"], cwd=tmp_path, check=True, capture_output=True)
    written = tmp_path / ".env"
    assert written.stat().st_mode & 0o777 == 0o600
    values = re.findall(r"^ECO_SECRET_\w+=(.*)$", written.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(values) == len(set(values)) == 6
    assert all(re.fullmatch(r"[\w-]{32}", value) for value in values)
    again = subprocess.run(["make", "-s", "env"], cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode != 0
    assert "never overwritten" in again.stderr


def _environment(home: Path) -> dict[str, str]:
    """What a part's container gets, with a value for each variable that .env must have."""
    found = {
        name: re.sub(
            r"\$\{(\w+)[^}]*\}", lambda m: {"TZ": "Asia/Shanghai"}.get(m[1], f"given-{m[1].lower()}"), value
        )
        for name, value in SERVICES["scheduler"]["environment"].items()
    }
    return found | {
        "ECO_HOME": str(home),
        "ECO_CITY": str(ROOT / "city"),
        "ECO_DATABASE_URL": "postgresql://eco@postgres:5432/eco",
        "ECO_API_PUBLIC_URL": "https://eco.example.org",
    }


def test_dags_are_read_with_the_environment_and_configuration_of_a_container(tmp_path: Path) -> None:
    given = {"PATH": os.environ["PATH"], "AIRFLOW__CORE__DAGS_FOLDER": "/not/ours", **_environment(tmp_path)}
    code = """
import json, os
from ecowarehouse.services import config
from ecowarehouse.settings import Settings
settings = Settings.load()
config.write(settings, database_url="postgresql+psycopg://eco@postgres/airflow", address=config.Address.given(settings))
os.environ.update(environment := config.environment(settings))
for name in set(os.environ) - set(environment):
    del os.environ[name]
from airflow.configuration import conf
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder=conf.get("core", "dags_folder"), bundle_name="dags-folder")
print("RESULT" + json.dumps({"errors": bag.import_errors, "dags": sorted(bag.dags), "host": conf.get("api", "host"),
    "execution": conf.get("core", "execution_api_server_url"), "page": conf.get("api", "base_url"),
    "jwt": conf.get("api_auth", "jwt_secret"), "environment": environment}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=given, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr[-3000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    found = json.loads(line.removeprefix("RESULT"))
    assert found["errors"] == {}
    assert "element__air" in found["dags"]
    assert found["host"] == "0.0.0.0"
    assert found["execution"] == "http://api-server:8080/execution/"
    assert found["page"] == "https://eco.example.org"
    assert found["jwt"] == "given-eco_secret_airflow_jwt"
    assert not (tmp_path / "secrets.toml").exists(), "all of Airflow's secrets were given"
    environment = found["environment"]
    assert environment["ECO_API_URL"] == "http://api-server:8080"
    assert "api-server" in environment["NO_PROXY"]
    assert not {"ECO_DATABASE_ADMIN", "ECO_SECRET_DATABASE_ADMIN"} & set(environment)


def test_an_address_of_containers_is_checked() -> None:
    with pytest.raises(SettingsError, match="ECO_API_URL"):
        Settings.load({"ECO_API_URL": "api-server:8080"})
    assert config.Address.given(Settings.load({})) is None
    assert config.Address.local(81).inner == "http://127.0.0.1:81"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
