"""The files with which a new feed begins."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import yaml

from ecowarehouse.contracts.load import load_contracts
from ecowarehouse.contracts.observations import ObservationContract
from ecowarehouse.contracts.proposal import NoProposal, Proposal, Vocabulary, propose, read_answer
from ecowarehouse.duties import Duties, departments
from ecowarehouse.settings import City

LARGEST_ANSWER = 1 << 20
_VOCABULARY = Path("dbt_project") / "seeds" / "vocabulary"


class ScaffoldError(ValueError):
    """A new feed can't be started; the message says why."""


def recorded_folder(root: Path, feed: str) -> Path:
    """Where recorded answers of a feed stand."""
    return root / "tests" / "recorded" / feed


def new_files(
    root: Path,
    city: Path,
    feed: str,
    department: str,
    element: str,
    answers: Sequence[Path] = (),
    transport: str = "http",
) -> dict[Path, bytes]:
    """Contract, expectations, test and recorded answers, by path; nothing that exists is among them.

    The contract is proposed from the first answer; without one it is a form to fill in.

    Raises:
        ScaffoldError: a bad name, no such transport, a department without a duty for the element, a contract of that
            name exists, or an answer of which nothing can be proposed.
    """
    if transport not in CONNECTORS:
        raise ScaffoldError(f"no transport {transport!r}; there are: {', '.join(CONNECTORS)}")
    contract = _contract_path(city, feed, department, element)
    recorded = {recorded_folder(root, feed) / path.name: _recorded(path) for path in answers}
    if len(recorded) < len(answers):
        raise ScaffoldError("two recorded answers have one name; rename one of them")
    proposal = _proposal(root, city, department, element, answers[0]) if answers else _UNSEEN
    if transport != "http":  # only an answer over HTTP has headers
        known_at = [line for line in proposal.known_at.splitlines() if "from: header" not in line]
        proposal = replace(proposal, known_at="\n".join(known_at))
    if transport == "sql":  # rows of a database come as text that the house itself writes
        proposal = replace(proposal, forms="  csv: {line_ends_in_cells: true}")
    values = {
        "feed": feed,
        "connector": CONNECTORS[transport].format(feed=feed),
        "department": department,
        "element": element,
        "authority": _flow(_authority(city, department)),
        "basis": _flow(_document(city, department, element)),
    }
    texts = {
        contract: _CONTRACT.format(
            **values, **{name: getattr(proposal, name) for name in proposal.__slots__}
        ),
        root / "expectations" / f"{element}.yml": _EXPECTATIONS.format(**values),
    }
    files = {path: text.encode() for path, text in texts.items()} | recorded
    return {path: content for path, content in files.items() if not path.exists()}


def feed_test(root: Path, feed: str, landing: dict[str, tuple[int, dict[str, int]]]) -> tuple[Path, str]:
    """The test of a feed: `landing` says of each recorded answer the rows that land, and rejects by reason."""
    path = root / "tests" / "unit" / "feeds" / f"test_{feed}.py"
    answers = "".join(
        f'    "{name}": ({rows}, {_python(rejects)}),\n' for name, (rows, rejects) in landing.items()
    )
    expected = "{\n" + answers + "}" if answers else "{}  # name of a file: rows that land, rejects by reason"
    return path, _TEST.format(feed=feed, answers=expected)


def _python(rejects: dict[str, int]) -> str:
    return "{" + ", ".join(f'"{reason}": {count}' for reason, count in sorted(rejects.items())) + "}"


def _contract_path(city: Path, feed: str, department: str, element: str) -> Path:
    for name in (feed, department, element):
        if not re.fullmatch(r"[a-z][a-z0-9_]{2,50}", name):
            raise ScaffoldError(f"{name!r}: write lower-case letters, digits and _, such as noise_hourly")
    if (lacking := Duties.read(city).problem(department, element)) is not None:
        raise ScaffoldError(lacking)
    path = city / "sources" / department / f"{feed}.yml"
    if path.exists():
        raise ScaffoldError(f"{path} exists; choose another name or edit it")
    if feed in load_contracts(city).contracts:
        raise ScaffoldError(f"another department has a feed {feed!r}; choose another name")
    return path


def _recorded(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScaffoldError(f"{path}: can't be read ({error.strerror})") from error
    if len(content) > LARGEST_ANSWER:
        raise ScaffoldError(
            f"{path} has {len(content) >> 10:,} KiB, more than a repository should keep for a test;"
            f" record an answer of {LARGEST_ANSWER >> 10:,} KiB or less"
        )
    return content


def _proposal(root: Path, city: Path, department: str, element: str, answer: Path) -> Proposal:
    """What an answer shows; a department that delivers for the element already has ways of its own, else all have."""
    found = load_contracts(city).of_element(element)
    sisters = [one for one in found if isinstance(one, ObservationContract)]
    sisters = [one for one in sisters if one.department == department] or sisters
    vocabulary = Vocabulary.read(root / _VOCABULARY, element)
    try:
        return propose(read_answer(answer), vocabulary, sisters, City.read(city).timezone)
    except NoProposal as problem:
        raise ScaffoldError(f"nothing can be proposed: {problem}") from problem


def _authority(city: Path, department: str) -> str:
    return str(departments(city).get(department, {}).get("zh", department))


def _document(city: Path, department: str, element: str) -> str:
    path = city / "duties.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = [
            row["document"]
            for row in csv.DictReader(file)
            if row["department"] == department and row["element"] == element and row.get("document")
        ]
    return found[0] if found else "not known"


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.removesuffix("...\n").strip()


# By transport; ${{…}} are names of secrets.
CONNECTORS: Final = {
    "http": "  transport: http\n  url: ${{{feed}.url}}",
    "sql": """\
  transport: sql
  url: ${{{feed}.database}}  # postgresql://reader:…@host:5432/lims, or another of SQLAlchemy's addresses
  query: |
    select site_code, time, value, updated_at
    from results where updated_at >= :since
    order by site_code, time
  cursor: {{from: column, column: updated_at, look_back: P1D}}  # TODO connector: is this the query?
  null_text: ''""",
    "sftp": """\
  transport: sftp
  url: ${{{feed}.sftp}}/*.csv  # TODO connector: pattern, and the confirmed host key
  user: {feed}.user
  password: {feed}.password
  host_key: SHA256:unknown""",
    "drop": """\
  transport: drop  # the folder ECO_HOME/drop/{feed}; uploads by the department come here too
  pattern: '*.csv'  # TODO connector: pattern of the files""",
}

_UNSEEN = Proposal(
    known_at="  - {from: option}\n  - {from: receipt}",
    site="{code: site_code}  # TODO site: which columns tell code, name, longitude and latitude?",
    period="""
  column: time
  format: iso8601
  timezone: Asia/Shanghai
  label: end  # TODO period: in which column and form, and is it the period's start or its end?
  averaging: PT1H
  plausible: {from: '2000-01-01', ahead: PT2H}""",
    key="[site_code, time]",
    forms="  csv:\n    media: [text/csv]\n    suffixes: [.csv]",
    header="[site_code, time, value]  # TODO header: the columns, in any order",
    sentinels="['']  # TODO sentinels: which cells mean that there is no value?",
    channels="  value: {property: pm2_5, averaging: PT1H, unit: ug/m3}  # TODO channels: the columns with values",
)

_CONTRACT = """\
# yaml-language-server: $schema=../../../docs/contract.schema.json
# A line with `TODO` is a question that only the source can answer. Answer it, and take the mark away: as long as one is
# open, no run takes the feed up. `eco source check {feed}` names them.
feed: {feed}
version: 1
element: {element}
title: {{zh: {feed}, en: {feed}}}  # TODO title: what is it called, in Chinese and English?
department: {department}
authority: {authority}
legal_basis: {basis}
licence: unstated
series_kind: real_time
synthetic: false
retention_years: 10

connector:
{connector}
schedule: {{minutes: [10], lateness: PT3H, freshness: PT2H}}

known_at:
{known_at}

sites: discover              # a new code becomes a site, with a warning
site: {site}
period:{period}
key: {key}

forms:
{forms}
header: {header}

sentinels: {sentinels}

channels:
{channels}
"""

_EXPECTATIONS = """\
# What the gate demands of {element}. An empty suite blocks: fill it in before the first release.
element: {element}
datasets: {{}}
"""

_TEST = '''\
"""What was recorded of {feed} lands as its contract says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecowarehouse.contracts import load_contracts
from ecowarehouse.landing.rehearsal import rehearse

ROOT = Path(__file__).resolve().parents[3]
RECORDED = ROOT / "tests" / "recorded" / "{feed}"
ANSWERS: dict[str, tuple[int, dict[str, int]]] = {answers}


def test_every_recorded_answer_is_expected() -> None:
    assert {{path.name for path in RECORDED.glob("*")}} == set(ANSWERS)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_recorded_answer_lands(name: str) -> None:
    found = rehearse(load_contracts(ROOT / "city")["{feed}"], RECORDED / name)
    assert (found.problem, found.rows, dict(found.rejects)) == (None, *ANSWERS[name])
'''
