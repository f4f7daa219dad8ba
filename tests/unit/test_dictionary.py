"""The data dictionary: up to date, complete, honest about what is not verified, and readable as HTML."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import pytest

from ecowarehouse import dictionary, html_pages
from ecowarehouse.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return replace(Settings.load({}), city=ROOT / "city")


@pytest.fixture(scope="module")
def pages(settings: Settings) -> dict[str, str]:
    return dictionary.pages(settings)


def test_the_committed_dictionary_is_up_to_date(pages: dict[str, str]) -> None:
    stale = dictionary.differences(ROOT / dictionary.FOLDER, pages)
    assert not stale, f"run `make docs` and commit docs/dictionary: {', '.join(stale)} differ"


def test_the_same_files_give_the_same_pages(pages: dict[str, str], settings: Settings) -> None:
    assert dictionary.pages(settings) == pages


@pytest.mark.parametrize(
    ("mark", "word"),
    [
        ("S", "已核"),
        ("S+K", "已核"),
        ("S (table 2)", "已核"),
        ("S(code citing 6.1.2)+K", "已核"),
        ("CNEMC practice (measured)", "已核"),
        ("design", "已核"),
        ("K", "未核实"),
        ("K medium (phase: high; day: medium)", "未核实"),
        ("", "未核实"),
        ("design; unverified", "部分未核实"),
        ("S (dates); K (rounding)", "部分未核实"),
        ("S one code project only (rounding); unverified (counts)", "部分未核实"),
        ("CONFLICT", "矛盾"),
    ],
)
def test_a_mark_of_provenance_says_how_far_it_can_be_trusted(mark: str, word: str) -> None:
    said = dictionary.status(mark)
    assert word in said
    assert ("⚠" in said) == (word != "已核")


def test_every_doubtful_row_of_standards_is_marked_on_its_page(
    pages: dict[str, str], settings: Settings
) -> None:
    for seed in dictionary.read_seeds(settings.dbt_project):
        doubtful = [r for r in seed.rows if seed.is_marked and "⚠" in dictionary.status(r["mark"])]
        section = (
            pages[f"{seed.schema}.md"].split(f"### 内容 · Content of {seed.name}\n")[1].split("\n## ")[0]
        )
        assert len(re.findall(r"^\| \*\*⚠", section, re.MULTILINE)) == len(doubtful), seed.name


def test_every_column_is_described_in_both_languages(pages: dict[str, str]) -> None:
    for name in ("air.md", "weather.md"):
        columns = re.findall(
            r"^\| `([a-z0-9_]+)`(?: 🔑)? \| [a-z]+ \|[^|]*\|([^|]*)\|([^|]*)\|", pages[name], re.MULTILINE
        )
        assert columns
        for column, zh, en in columns:
            assert re.search(r"[\u3400-\u9fff]", zh), f"{name}: {column} has no Chinese description"
            assert en.strip(), f"{name}: {column} has no English description"
            assert en.strip() != zh.strip(), f"{name}: {column} is described in one language"


def test_concentrations_have_units_and_demands_have_reasons(pages: dict[str, str]) -> None:
    assert "| `pm2_5` | numeric | ug/m3 |" in pages["air.md"]
    assert "| `co` | numeric | mg/m3 |" in pages["air.md"]
    assert "`stations_share`: at least 0.7 | After the lateness" in pages["air.md"]
    assert "reproduced for every station-hour with o3_24h" in pages["feeds.md"]


def test_every_line_of_a_table_has_as_many_cells_as_its_head(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        head = 0
        for line in text.splitlines():
            cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
            assert not head or not cells or cells == head, f"{name}: {line}"
            head = cells


def test_a_page_that_nobody_wants_any_more_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("gone")
    assert dictionary.write(tmp_path, {"a.md": "a"}) == ["a.md", "old.md"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.md"]
    assert dictionary.write(tmp_path, {"a.md": "a"}) == []


def test_html_keeps_tables_and_shows_markup_of_the_text(tmp_path: Path) -> None:
    here = PurePosixPath("docs/a.md")
    places = {here: PurePosixPath("a.html"), PurePosixPath("docs/b/README.md"): PurePosixPath("b/index.html")}
    text = (
        "# T <b>\n\n| x |\n| - |\n| <script> |\n\n[b](b/#part) [c](../Makefile) [d](https://example.org/)\n"
    )
    page = html_pages.render(text, here, places)
    assert "<table>" in page
    assert "<script>" not in page
    assert 'href="b/index.html#part"' in page
    assert "Makefile" not in page
    assert 'href="https://example.org/"' in page


def test_links_between_the_documents_lead_somewhere(tmp_path: Path) -> None:
    written = html_pages.write(ROOT, tmp_path)
    ids = {path: set(re.findall(r'id="([^"]+)"', path.read_text(encoding="utf-8"))) for path in written}
    for path in written:
        for href in re.findall(r'href="([^"]+)"', path.read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:", href):
                continue
            file, _, fragment = href.partition("#")
            target = (path.parent / file).resolve() if file else path
            assert target.exists(), f"{path.name}: {href}"
            assert not fragment or unquote(fragment) in ids[target], f"{path.name}: {href} names no heading"


def test_relative_links_of_the_sources_name_files_that_exist() -> None:
    for source in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for href in re.findall(r"\]\(([^)#\s]+)[^)]*\)", source.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", href):
                assert (source.parent / href).exists(), f"{source.relative_to(ROOT)}: {href}"
