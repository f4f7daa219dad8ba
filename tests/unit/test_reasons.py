"""Every reason that the code gives is explained to people, in Chinese and English."""

from __future__ import annotations

import re
from pathlib import Path

from ecowarehouse.connectors.problems import OUR_FAULTS
from ecowarehouse.reasons import ledger_reasons
from ecowarehouse.settings import Settings

PLUGINS = Path(__file__).resolve().parents[2] / "plugins" / "ecowarehouse"
GIVEN = re.compile(
    r"""(?:FetchProblem|FormatProblem)\(\s*"(\w+)"|Rejected\([^"()]*(?:\(\w+\)|\[\w+\])?[^"()]*"(\w+)",|note="(\w+)\""""
)


def test_every_reason_has_words_and_a_mend() -> None:
    known = ledger_reasons(Settings.load())
    for found in known.values():
        assert all((found.zh, found.en, found.mend_zh, found.mend_en)), found
        assert found.concerns in ("attempt", "row"), found
    given = {
        word
        for folder in ("connectors", "formats", "landing")
        for path in (PLUGINS / folder).rglob("*.py")
        for match in GIVEN.finditer(path.read_text(encoding="utf-8"))
        for word in match.groups()
        if word
    }
    assert {"header_changed", "connect_error", "ragged_row", "not_a_number"} <= given, (
        "the pattern finds them"
    )
    assert given - set(known) == set()
    assert set(OUR_FAULTS) <= set(known)
