"""GB/T 8170 rounding, exact on numeric."""

from __future__ import annotations

import csv
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

_PAIRS = "select {} from unnest(%s::numeric[], %s::integer[]) with ordinality as t (x, d, n) order by n"


@pytest.mark.shared
def test_every_published_pair_is_reproduced(
    warehouse: psycopg.Connection[Any], render: Callable[[str], str], shared: Path
) -> None:
    with (shared / "data/test_vectors/gb8170_rounding_pairs_dev.csv").open(encoding="utf-8") as text:
        pairs = list(csv.DictReader(text))
    statement = _PAIRS.format(render("{{ round_half_even('t.x', 't.d') }}"))
    results = warehouse.execute(statement, [[p["raw"] for p in pairs], [int(p["decimals"]) for p in pairs]])
    wrong = [
        (pair, result)
        for pair, (result,) in zip(pairs, results, strict=True)
        if result != Decimal(pair["published"])
    ]
    assert len(pairs) > 2000
    assert wrong == []


@pytest.mark.parametrize(
    ("x", "decimals", "expected"),
    [
        ("2.5", 0, "2"), ("3.5", 0, "4"), ("-2.5", 0, "-2"), ("-3.5", 0, "-4"),
        ("2.50000000000000001", 0, "3"),
        ("0.0125", 3, "0.012"), ("0.0135", 3, "0.014"), ("1234567890123456.5", 0, "1234567890123456"),
        ("-0.05", 1, "0.0"), ("1.45", 1, "1.4"), ("1.55", 1, "1.6"), ("7", 2, "7.00"),
    ],
)  # fmt: skip
def test_ties_go_to_the_even_digit(
    warehouse: psycopg.Connection[Any], render: Callable[[str], str], x: str, decimals: int, expected: str
) -> None:
    statement = _PAIRS.format(render("({{ round_half_even('t.x', 't.d') }})::text"))
    row = warehouse.execute(statement, [[x], [decimals]]).fetchone()
    assert row is not None
    assert row[0].replace("-0.0", "0.0") == expected
