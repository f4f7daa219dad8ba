"""Every reason that the code gives is explained to people, in Chinese and English."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ecowarehouse.connectors.problems import OUR_FAULTS
from ecowarehouse.reasons import ledger_reasons
from ecowarehouse.settings import Settings

PLUGINS = Path(__file__).resolve().parents[2] / "plugins" / "ecowarehouse"
# Which argument of a call is a reason.
PLACES = {"FetchProblem": 0, "FormatProblem": 0, "reject": 0, "add": 1, "Rejected": 2}
NAMED = ("note", "partial_reason")


def reasons(path: Path) -> Iterator[str]:
    """Words that a module gives as reasons: in calls, as notes, and before a detail in a pair."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            yield from _words(node.args[PLACES[name]] if len(node.args) > PLACES.get(name, 9) else None)
            for one in node.keywords:
                yield from _words(one.value if one.arg in NAMED else None)
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and not isinstance(node.elts[0], ast.Name):
            said = node.elts[1]
            if isinstance(said, ast.JoinedStr) or getattr(said, "id", "") == "detail" or _is_sentence(said):
                yield from _words(node.elts[0])
        elif isinstance(node, ast.FunctionDef) and node.name == "note":
            yield from (
                word for one in ast.walk(node) if isinstance(one, ast.Return) for word in _words(one.value)
            )


def _words(node: ast.AST | None) -> Iterator[str]:
    """Constants of an expression that are words of the ledger; of `a if x else b` both."""
    branches = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    for one in branches:
        if (
            isinstance(one, ast.Constant)
            and isinstance(one.value, str)
            and one.value.replace("_", "").isalpha()
        ):
            yield one.value


def _is_sentence(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value


def test_every_reason_has_words_and_a_mend() -> None:
    known = ledger_reasons(Settings.load())
    for found in known.values():
        assert all((found.zh, found.en, found.mend_zh, found.mend_en)), found
        assert found.concerns in ("attempt", "row"), found
    given = {
        word
        for folder in ("connectors", "formats", "landing")
        for path in (PLUGINS / folder).rglob("*.py")
        for word in reasons(path)
    }
    told = {"header_changed", "cursor_went_back", "row_on_two_pages", "ragged_row", "conflicting_row", "key_missing",
            "no_reading", "merged_cell", "caught_mid_update"}  # fmt: skip
    assert told <= given, "each way to give a reason is found"
    assert given - set(known) == set()
    assert set(OUR_FAULTS) <= set(known)
