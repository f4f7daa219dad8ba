"""The how-to `add-a-feed.md`, word by word in a copy of the project: from an answer over HTTP to a release."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ecowarehouse.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "add-a-feed.md"
FEED = "township_weather"
CONTRACT = Path("city") / "sources" / "meteorology" / f"{FEED}.yml"
SOURCE = "http://weather.example/township.csv"
RECORDED = "/tmp/township.csv"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@contextmanager
def source(answer: bytes) -> Iterator[str]:
    """A server of the department's: one answer to all who ask."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/csv; charset=utf-8")
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("Last-Modified", "Sun, 01 Mar 2026 01:20:00 GMT")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/township.csv"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The working tree as it is now, as the only commit of a repository of its own."""
    copy = tmp_path / "project"
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    git(copy, "init", "-q")
    git(copy, "add", ".")
    git(copy, "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-q", "-m", "As it stands")
    return copy


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def touched(project: Path) -> set[str]:
    """Top folders in which something is new or changed."""
    lines = git(project, "status", "--porcelain", "--untracked-files=all").splitlines()
    return {line[3:].split("/")[0] for line in lines}


def answer_open_questions(contract: Path, lines: str) -> None:
    """What a person does in an editor: put the page's lines in the place of those with the same key."""
    text = contract.read_text(encoding="utf-8")
    for line in lines.splitlines():
        key = line.partition(":")[0]
        text, count = re.subn(rf"^{key}:.*$", line, text, flags=re.MULTILINE)
        assert count == 1, f"the page's line is not in the contract: {line}"
    text, count = re.subn(r"^ *# TODO column_12: .*能见度.*\n", "", text, flags=re.MULTILINE)
    assert count == 1
    contract.write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_the_page_leads_from_an_answer_to_a_release_without_python(
    deployed: Settings, project: Path, tmp_path: Path
) -> None:
    [answer] = blocks("csv")
    [lines] = blocks("yaml")
    record, new, check, again, release, keep = blocks("sh")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(project / "plugins"), str(project)]),
        "ECO_HOME": str(deployed.home),
    }

    with source(answer.encode()) as address:

        def run(commands: str) -> str:
            text = commands.replace(SOURCE, address).replace(RECORDED, str(tmp_path / "township.csv"))
            done = subprocess.run(
                ["bash", "-euc", text],
                cwd=project,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            return done.stdout

        run(record)
        assert "next: " in run(new)
        assert run(check).count("still open: ") == 3
        answer_open_questions(project / CONTRACT, lines)
        assert "next: say where the source is: export ECO_SECRET_TOWNSHIP_WEATHER_URL" in run(again)
        released = run(release)
        table = [[cell.strip() for cell in line.split("│")] for line in released.splitlines() if "│" in line]
        assert [(row[1], row[3], row[4]) for row in table] == [
            ("T01", "12.3", "1.2"), ("T01", "13.0", "1.4"), ("T02", "12.9", ""), ("T02", "13.1", "0.8"),
        ], released  # fmt: skip
        assert touched(project) == {"city", "dbt_project", "tests"}
        assert "2 passed" in run(keep)
        assert touched(project) == {"city", "dbt_project", "docs", "tests"}
