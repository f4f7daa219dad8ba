"""The files with which a new feed begins."""

from __future__ import annotations

import re
from pathlib import Path

from ecowarehouse.duties import Duties


class ScaffoldError(ValueError):
    """A new feed can't be started; the message says why."""


def new_files(root: Path, city: Path, feed: str, department: str, element: str) -> dict[Path, str]:
    """Contract, expectations and test to fill in, by path; nothing that exists is among them.

    Raises:
        ScaffoldError: a bad name, a department without a duty for the element, or a contract of that name exists.
    """
    for name in (feed, department, element):
        if not re.fullmatch(r"[a-z][a-z0-9_]{2,50}", name):
            raise ScaffoldError(f"{name!r}: write lower-case letters, digits and _, such as noise_hourly")
    if (lacking := Duties.read(city).problem(department, element)) is not None:
        raise ScaffoldError(lacking)
    contract = city / "sources" / department / f"{feed}.yml"
    if contract.exists():
        raise ScaffoldError(f"{contract} exists; choose another name or edit it")
    values = {"feed": feed, "department": department, "element": element}
    files = {
        contract: _CONTRACT,
        root / "expectations" / f"{element}.yml": _EXPECTATIONS,
        root / "tests" / "integration" / "feeds" / f"test_{feed}.py": _TEST,
    }
    return {path: text.format(**values) for path, text in files.items() if not path.exists()}


_CONTRACT = """\
# yaml-language-server: $schema=../../../docs/contract.schema.json
feed: {feed}
version: 1
element: {element}
title: {{zh: {feed}, en: {feed}}}
department: {department}     # key in city/departments.yml, with a duty for the element in city/duties.csv
authority: to be named
legal_basis: to be named
licence: unstated
series_kind: real_time
synthetic: false
retention_years: 10

connector:
  transport: http
  url: ${{{feed}.url}}
schedule: {{minutes: [10], lateness: PT3H, freshness: PT2H}}

known_at:
  - {{from: option}}
  - {{from: receipt}}

sites: discover              # a new code becomes a site, with a warning
site: {{code: site_code}}
period: {{column: time, format: iso8601, timezone: Asia/Shanghai, label: end, averaging: PT1H,
         plausible: {{from: '2000-01-01', ahead: PT2H}}}}
key: [site_code, time]

forms:
  csv: {{media: [text/csv], suffixes: [.csv]}}
header: [site_code, time, value]

channels:
  value: {{property: pm2_5, averaging: PT1H, unit: ug/m3}}
"""

_EXPECTATIONS = """\
# What the gate demands of {element}. An empty suite blocks: fill it in before the first release.
element: {element}
datasets: {{}}
"""

_TEST = '''\
"""What the contract of {feed} promises, tried on a received file."""

from __future__ import annotations

from ecowarehouse.contracts import load_contracts
from ecowarehouse.settings import Settings


def test_the_contract_is_valid() -> None:
    found = load_contracts(Settings.load().city)
    assert not [broken.message for broken in found.broken.values() if broken.feed_guess == "{feed}"]
    assert "{feed}" in found.contracts
'''
