"""Rows of registers: what is refused, what lands and says only that the thing is there."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from ecowarehouse.contracts import EntityContract, load_contracts
from ecowarehouse.contracts.load import validate
from ecowarehouse.entities import load_entities
from ecowarehouse.landing.check import Checked
from ecowarehouse.landing.check_entities import check

CITY = Path(__file__).resolve().parents[2] / "cities" / "registers"


def checked(feed: str, *rows: tuple[str, ...], lost: bool = False) -> Checked:
    contract = load_contracts(CITY)[feed]
    assert isinstance(contract, EntityContract)
    columns = {name: [row[place] for row in rows] for place, name in enumerate(contract.header)}
    return check(contract, pa.table({"row_number": list(range(1, len(rows) + 1)), **columns}), lost=lost)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("N1", "D1", "年检", "2024/01/01", "", "J"), [("kind", "expected one of")]),
        (("N1", "D1", "检定", "2024-01-01", "", "J"), [("since", "expected a time %Y/%m/%d")]),
        (("N1", "D1", "检定", "2024/02/30", "2024/13/01", "J"), [("since", "expected a"), ("until", "expected a")]),
        (("N1", "D1", "检定", "2024/02/29", "", ""), []),
    ],
)  # fmt: skip
def test_a_cell_of_another_type_is_named_and_the_thing_is_still_there(
    row: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    found = checked("device_records", row)
    assert len(found.table) == 1
    assert [one.column for one in found.rejects] == [column for column, _ in expected]
    assert all(detail in one.detail for one, (_, detail) in zip(found.rejects, expected, strict=True))


def test_of_rows_about_one_thing_the_last_stays() -> None:
    found = checked(
        "laboratories", ("A", "甲", "laboratory"), ("A", "乙", "laboratory"), ("A", "乙", "laboratory")
    )
    assert [one.reason for one in found.rejects] == ["conflicting_row", "duplicate_row"]
    assert found.table["row_number"].to_pylist() == [3]


def test_a_row_that_nobody_can_name_makes_only_a_whole_register_partial() -> None:
    assert checked("laboratories", ("A", "甲", "laboratory"), (" ", "乙", "laboratory")).partial
    assert not checked("laboratories", ("A", "甲", "laboratory")).partial
    assert checked("laboratories", ("A", "甲", "laboratory"), lost=True).partial
    rows = checked("device_records", ("", "D1", "检定", "2024/01/01", "", "J"))
    assert (rows.partial, [one.reason for one in rows.rejects]) == (False, ["key_missing"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entity": "sites"}, "'sites' is not declared; there are: site_register"),
        ({"delivered": {"as": "whole"}}, "delivered.absent: belongs to a whole register, which needs it"),
        ({"columns": {"colour": "name"}}, "park has no colour; add them to entities.yml"),
        ({"columns": {"boundary": "wkt"}}, "columns.boundary.crs: belongs to a geometry, which needs it"),
        ({"columns": {"name": "nowhere"}}, "columns: not in the header: nowhere"),
        ({"channels": {}}, "no such field"),
    ],
)
def test_a_contract_of_entities_that_makes_no_sense_is_named(change: dict[str, object], message: str) -> None:
    plain = load_contracts(CITY)["parks"].model_dump(mode="json", by_alias=True, exclude_unset=True)
    with pytest.raises(ValueError, match=message):
        validate({**plain, **change})


def test_a_word_that_the_entity_does_not_know_is_named() -> None:
    plain = load_contracts(CITY)["device_records"].model_dump(mode="json", by_alias=True, exclude_unset=True)
    plain["columns"]["kind"]["words"] = {"检定": "inspection"}
    with pytest.raises(
        ValueError, match=r"columns\.kind\.words: not among verification, calibration, acceptance: inspection"
    ):
        validate(plain)


def test_every_reference_of_the_declaration_names_an_entity() -> None:
    assert {"site_register", "device", "device_record", "institution", "site_plan", "sample"} <= set(
        load_entities()
    )
