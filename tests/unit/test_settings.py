"""Where things are, and what is said when they are not there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ecowarehouse import secrets
from ecowarehouse.settings import City, Settings, SettingsError

GOOD = "code: '1'\nname: {zh: 甲, en: A}\ndepartment: a\ntimezone: Asia/Shanghai\nlanguages: [zh]\n"


def test_defaults_lie_in_the_project() -> None:
    settings = Settings.load({})
    assert settings.home == settings.project_root / ".eco"
    assert settings.city == settings.project_root / "city"
    assert settings.database_url is None
    assert settings.database == "eco"
    assert settings.timezone == "Asia/Shanghai"
    assert (settings.migrations / "0001_schemas.sql").is_file()


def test_environment_moves_home_and_city(tmp_path: Path) -> None:
    (tmp_path / "city.yml").write_text(GOOD.replace("Asia/Shanghai", "Asia/Urumqi"), encoding="utf-8")
    settings = Settings.load({"ECO_HOME": str(tmp_path / "home"), "ECO_CITY": str(tmp_path)})
    assert settings.home == tmp_path / "home"
    assert settings.secrets_file == tmp_path / "home" / "secrets.toml"
    assert settings.timezone == "Asia/Urumqi"


def test_an_empty_variable_is_no_setting() -> None:
    settings = Settings.load({"ECO_HOME": "", "ECO_DATABASE_URL": "", "ECO_DATABASE": ""})
    assert settings == Settings.load({})


def test_a_url_of_another_database_is_refused() -> None:
    with pytest.raises(SettingsError, match="postgresql://"):
        Settings.load({"ECO_DATABASE_URL": "mysql://localhost/eco"})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        ("a: [", "no valid YAML"),
        ("just text", "needs code"),
        (GOOD.replace("timezone", "zone"), "needs code"),
        (GOOD.replace("department", "bureau"), "needs code"),
        (GOOD.replace("Asia/Shanghai", "Asia/Atlantis"), "unknown time zone"),
        (GOOD + "exports: {keep_days: 0}", "keep_days, a whole number of days"),
        (GOOD + "exports: {days: 30}", "keep_days, a whole number of days"),
        (GOOD + "exports: 30", "keep_days, a whole number of days"),
    ],
)
def test_a_bad_city_is_named(tmp_path: Path, content: str | None, says: str) -> None:
    if content is not None:
        (tmp_path / "city.yml").write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=says) as caught:
        City.read(tmp_path)
    assert "city.yml" in str(caught.value)


def test_exports_are_kept_for_ever_unless_the_city_says_how_long(tmp_path: Path) -> None:
    (tmp_path / "city.yml").write_text(GOOD, encoding="utf-8")
    assert City.read(tmp_path).keep_exports is None
    (tmp_path / "city.yml").write_text(GOOD + "exports: {keep_days: 30}", encoding="utf-8")
    assert City.read(tmp_path).keep_exports == timedelta(days=30)


def test_generated_secrets_are_private_and_stay(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    first = secrets.ensure(path, ["postgres.eco"])
    assert path.stat().st_mode & 0o777 == 0o600
    second = secrets.ensure(path, ["postgres.eco", "airflow.admin"])
    assert second["postgres.eco"] == first["postgres.eco"]
    assert secrets.read(path) == second
    assert len(set(second.values())) == 2


def test_secrets_that_others_can_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text('x = "hidden"\n')
    path.chmod(0o644)
    with pytest.raises(secrets.SecretError, match="chmod 600") as caught:
        secrets.read(path)
    assert "hidden" not in str(caught.value)


def test_environment_comes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load({"ECO_HOME": str(tmp_path)})
    settings.secrets_file.touch(mode=0o600)
    settings.secrets_file.write_text('[water]\nkey = "from the file"\n')
    assert secrets.resolve("water.key", settings) == "from the file"
    monkeypatch.setenv("ECO_SECRET_WATER_KEY", "from the environment")
    assert secrets.resolve("water.key", settings) == "from the environment"


def test_a_missing_secret_says_where_to_put_it(tmp_path: Path) -> None:
    settings = Settings.load({"ECO_HOME": str(tmp_path)})
    with pytest.raises(secrets.SecretError, match="ECO_SECRET_WATER_KEY"):
        secrets.resolve("water.key", settings)
