"""Texts of the page: the same keys in both languages, no Chinese in English, a translation for what code lists say."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
TEXTS = PROJECT / "portal" / "texts"
SEEDS = PROJECT / "dbt_project" / "seeds" / "standards"
HAN = re.compile(r"[\u3400-\u9fff]")


def texts(name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((TEXTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def test_both_languages_have_the_same_keys_and_gaps() -> None:
    zh, en = texts("zh"), texts("en")
    assert list(zh) == list(en)
    assert {key: set(re.findall(r"\{\w+\}", zh[key])) for key in zh} == {
        key: set(re.findall(r"\{\w+\}", en[key])) for key in en
    }


def test_english_has_no_chinese() -> None:
    # The button that leads to Chinese is in Chinese, and marked so.
    assert [key for key, text in texts("en").items() if HAN.search(text)] == ["switch"]
    assert [text for text in texts("codes.en").values() if HAN.search(text)] == []


@pytest.mark.parametrize(
    ("seed", "columns"),
    [
        ("air_aqi_levels", ["category_cn", "health_effect", "advice"]),
        ("air_sensitive_groups", ["sensitive_groups"]),
        ("water_quality_levels", ["category_cn"]),
        ("water_class_label", ["class_cn"]),
    ],
)
def test_what_code_lists_say_has_english(seed: str, columns: list[str]) -> None:
    with (SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as text:
        said = {row[column] for row in csv.DictReader(text) for column in columns}
    assert {one for one in said if HAN.search(one)} - set(texts("codes.en")) == set()


def test_the_page_asks_for_keys_that_are_there() -> None:
    asked = set()
    for path in (PROJECT / "portal").glob("*.js"):
        asked |= set(re.findall(r"""\bt\(\s*["']([\w./]+)["']""", path.read_text(encoding="utf-8")))
    assert len(asked) > 40
    assert asked - set(texts("zh")) == set()


def test_the_page_names_no_other_host() -> None:
    for path in (PROJECT / "portal").rglob("*"):
        if path.is_file():
            assert not re.search(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", path.read_text(encoding="utf-8")), path
