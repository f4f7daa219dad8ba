"""Seeds as files: marks kept, keys unique, contents approved; datasets read strictly."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from ecowarehouse.datasets import DatasetError, load_datasets, read_datasets
from ecowarehouse.settings import Settings
from ecowarehouse.standards.files import seed_files

SETTINGS = Settings.load({})
SEEDS = seed_files(SETTINGS)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.file)
def test_every_row_is_as_wide_as_its_header(seed: object) -> None:
    assert all(len(row) == len(seed.header()) for row in seed.rows())  # type: ignore[attr-defined]


def test_the_list_of_approved_contents_is_that_of_the_files() -> None:
    listed = yaml.safe_load(
        (SETTINGS.dbt_project / "seeds/standards/approved.yml").read_text(encoding="utf-8")
    )
    assert {file: entry["sha256"] for file, entry in listed["files"].items()} == {
        seed.file: seed.sha256() for seed in SEEDS
    }


@pytest.mark.shared
@pytest.mark.parametrize("seed", [s for s in SEEDS if s.schema == "standards"], ids=lambda seed: seed.file)
def test_seeds_are_their_sources_byte_for_byte(seed: object, shared: Path) -> None:
    path: Path = seed.path  # type: ignore[attr-defined]
    source = shared / "standards" / path.name
    if not source.exists():
        pytest.skip(f"{path.name} is our own and has no source file")
    if path.name == "air_validity_rules.csv":  # the last column is our own
        lines = [line.rpartition(b",")[0] for line in path.read_bytes().splitlines()]
        assert lines == source.read_bytes().splitlines()
        return
    assert hashlib.sha256(source.read_bytes()).hexdigest() == seed.sha256()  # type: ignore[attr-defined]


def test_units_know_both_micro_signs() -> None:
    [unit] = [seed for seed in SEEDS if seed.file == "vocabulary/unit.csv"]
    aliases = {row[1] for row in unit.rows() if row[0] == "ug/m3"}
    assert {"\u00b5g/m\u00b3", "\u03bcg/m\u00b3", "\u00b5g/m3", "\u03bcg/m3"} <= aliases


def test_only_range_source_marks_and_reviews_invalidate() -> None:
    [effect] = [seed for seed in SEEDS if seed.file == "vocabulary/flag_effect.csv"]
    rows = [dict(zip(effect.header(), row, strict=True)) for row in effect.rows()]
    own = {row["code"] for row in rows if row["source"] == "own_test" and row["effect"] == "invalid"}
    assert own == {"range"}


def test_area_datasets_are_not_open_without_authorisation() -> None:
    datasets = {dataset.dataset: dataset for dataset in load_datasets(SETTINGS)}
    assert datasets["air.station_hour"].publishing.open
    assert not any(d.publishing.open for name, d in datasets.items() if name.startswith("air.area_"))
    assert "build_id" not in {column for d in datasets.values() for column in d.open_columns}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e["meta"].update(period={"column": "day", "grain": "hour"}), "not part of the key"),
        (lambda e: e["meta"].update(colour="red"), "colour"),
        (lambda e: e["meta"]["publishing"].update(open=True), "open_columns names none"),
        (lambda e: e.update(depends_on=["ref('other')"]), "must depend on"),
        (lambda e: e.update(name="other"), "must be named"),
    ],
)
def test_a_malformed_dataset_is_named(tmp_path: Path, change: object, message: str) -> None:
    exposure = {
        "name": "x_y",
        "depends_on": ["ref('x__y')"],
        "meta": {
            "dataset": "x.y",
            "title": {"zh": "甲", "en": "x"},
            "key": ["code", "at"],
            "period": {"column": "at", "grain": "hour"},
            "feeds": ["f"],
            "publishing": {
                "authority": "a",
                "legal_basis": "b",
                "open": False,
                "note": {"zh": "甲", "en": "x"},
            },
        },
    }
    path = tmp_path / "_x__datasets.yml"
    path.write_text(yaml.safe_dump({"exposures": [exposure]}), encoding="utf-8")
    assert [d.dataset for d in read_datasets(path)] == ["x.y"]
    change(exposure)  # type: ignore[operator]
    path.write_text(yaml.safe_dump({"exposures": [exposure]}), encoding="utf-8")
    with pytest.raises(DatasetError, match=message):
        read_datasets(path)
