"""The page in a real browser: what it shows is what the files say, in two languages, at two widths."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.integration.exports.conftest import served
from tests.integration.exports.export_house import ExportHouse
from tests.portal.browser import Page
from tests.portal.conftest import exported

pytestmark = [pytest.mark.slow]

_UNTRANSLATED = """
const found = [];
const walk = (node) => {
  if (node.nodeType === Node.TEXT_NODE && /[\\u3400-\\u9fff]/.test(node.textContent)
      && !node.parentElement.closest('[lang^=zh]')) found.push(node.textContent.trim());
  if (!(node instanceof HTMLScriptElement) && !(node instanceof HTMLElement && node.tagName === 'NOSCRIPT'))
    node.childNodes.forEach(walk);
};
walk(document.body);
return found;
"""

# Contrast of every text with the ground that it stands on, as WCAG 2 works it out; 4.5 is its level AA.
_FAINT = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const ground = (one) => {
  for (let e = one; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c;
  }
  return [255, 255, 255];
};
const linear = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = (c) => {
  const [r, g, b] = c.slice(0, 3).map(v => linear(v / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const written = (e) => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
return [...document.querySelectorAll('body *')].filter(e => e.offsetParent && written(e))
  .map(e => { const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), e.tagName + '.' + e.className + ': ' + e.textContent.slice(0, 40)]; })
  .filter(([ratio]) => ratio < 4.5);
"""


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_scrolls_sideways_and_the_console_is_silent(page: Page, language: str, width: int) -> None:
    page.open(language, width)
    page.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.run("return innerWidth") == width
    assert page.run("return document.documentElement.scrollWidth") <= width
    assert page.log() == []


def test_values_are_those_of_the_files(page: Page, house: ExportHouse) -> None:
    page.open("zh")
    rows = exported(house, "air.station_hour")
    newest = max(row["period_start"] for row in rows)
    wanted = {
        row["station_code"]: [
            row[name] for name in ("aqi", "category", "pm2_5", "pm10", "o3", "no2", "so2", "co")
        ]
        for row in rows
        if row["period_start"] == newest
    }
    shown = {cells[0].split()[0]: [*cells[1:3], *cells[4:10]] for cells in page.rows("air-hour")}
    assert shown == {code: [value or "—" for value in values] for code, values in wanted.items()}
    assert any(values[0] for values in wanted.values())


def test_classes_of_water_are_those_of_the_files(page: Page, house: ExportHouse) -> None:
    page.open("zh")
    rows = [row for row in exported(house, "water.section_sample") if row["is_current"] == "true"]
    newest: dict[str, dict[str, str]] = {}
    for row in sorted(rows, key=lambda one: one["sampled_at"]):
        newest[row["section_code"]] = row
    shown = {cells[0].split()[0]: (cells[1].split()[:1], cells[5]) for cells in page.rows("water-sections")}
    wanted = {
        row["section_name"]: ([row["water_class_cn"]], row["dissolved_oxygen"])
        for row in newest.values()
        if row["water_class"]
    }
    assert len(wanted) > 5
    assert wanted.items() <= shown.items()


def test_what_is_missing_of_each_source_is_told_with_whose_it_is(page: Page, house: ExportHouse) -> None:
    page.open("zh")
    rows = {
        row["title_zh"]: row for row in exported(house, "governance.feed_day") if row["day"] == "2019-07-18"
    }
    shown = {cells[0].split()[0]: cells for cells in page.rows("feed-days")}
    assert shown
    for title, cells in shown.items():
        row = rows[title]
        assert cells[1] == row["day"]
        assert float(cells[2].removesuffix(" %")) == pytest.approx(
            100 * float(row["complete_share"]), abs=0.1
        )
        assert cells[4:6] == [row["expected_count"], row["received_count"]]
        for kind, word in (("source", "来源缺报"), ("platform", "平台漏取")):
            count = row[f"{kind}_missing_count"]
            assert (f"{word} {count}" in cells[6]) == (count != "0")
    assert any(row["source_missing_count"] != "0" for row in rows.values())


def test_synthetic_data_are_marked_at_the_top_and_at_each_row(
    page: Page, house: ExportHouse, tmp_path: Path
) -> None:
    folder = shutil.copytree(house.out / "open", tmp_path / "open")
    path = folder / "portal" / "data" / "page.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["synthetic"] = True
    for row in content["air_hour"]["rows"]:
        row["synthetic"] = "true"
    path.write_text(json.dumps(content), encoding="utf-8")
    with served(folder) as address:
        invented = Page(page.driver, address)
        invented.open("zh")
        assert "合成数据" in invented.text("main > .warning")
        assert all("合成" in cells[0] for cells in invented.rows("air-hour"))
    page.open("zh")
    assert page.text("main > .warning") == ""


def test_yesterday_is_the_day_before_the_newest_hour(page: Page, house: ExportHouse) -> None:
    page.open("zh")
    newest = max(row["period_start"] for row in exported(house, "air.station_hour"))
    assert newest.startswith("2019-07-19")
    wanted = [row["aqi"] or "—" for row in exported(house, "air.station_day") if row["day"] == "2019-07-18"]
    assert wanted
    assert [cells[1] for cells in page.rows("air-day")] == wanted


def test_health_text_is_that_of_the_edition(page: Page, house: ExportHouse) -> None:
    levels = house.json("codelists/standards.air_aqi_levels.json")["rows"]
    [row] = [one for one in levels if one["standard"] == "HJ 633-2012" and one["category_cn"] == "轻度污染"]
    page.open("zh")
    assert "轻度污染" in [cells[2] for cells in page.rows("air-hour")]
    assert row["health_effect"] in page.text(".health")
    assert row["advice"] in page.text(".health")
    colour = page.run("return getComputedStyle(document.querySelector('.health .badge')).backgroundColor")
    assert colour == f"rgb({row['r']}, {row['g']}, {row['b']})"


def test_age_is_by_the_data_s_own_clock(page: Page, house: ExportHouse) -> None:
    page.open("en")
    clock = house.json("portal/data/page.json")["air_hour"]["clock"]
    assert clock == house.package("air.station_hour")["period_to"]
    assert clock[:16].replace("T", " ") in page.text("#air-now .origin")
    days = page.run("return Math.floor((Date.now() - new Date(arguments[0])) / 86400000)", clock)
    assert page.text("#air-now .age") == f"{days} days ago"
    assert "do not describe the air outside now" in page.text("#air-now .warning")


def test_authority_note_gate_and_marks_are_told(page: Page, house: ExportHouse) -> None:
    page.open("zh")
    assert "未经审核，仅供参考" in page.text("#air-now .origin")
    assert "中国环境监测总站" in page.text("#air-now .origin")
    [entry] = [one for one in house.json("index.json")["datasets"] if one["dataset"] == "air.station_hour"]
    [cells] = [one for one in page.rows("dataset-list") if "air.station_hour" in one[0]]
    assert f"已发布 {entry['gate']['released']}" in cells[3]
    assert "标准未全核实" in page.text("#air-hour")
    assert "区域日空气质量" in page.text("main")


def test_a_correction_shows_both_values(page: Page, house: ExportHouse) -> None:
    page.open("en")
    told = house.json("portal/data/page.json")["corrections"]["air.station_hour"]
    assert told["count"] > 0
    assert {"column": "pm2_5", "before": "8", "after": "90"} in told["rows"][0]["changes"]
    assert any("PM2.5: 8 → 90" in cells[2] for cells in page.rows("correction-list"))


def test_english_has_no_chinese_but_names(page: Page) -> None:
    page.open("en")
    assert page.run(_UNTRANSLATED) == []
    assert page.run("return document.documentElement.lang") == "en"


def test_the_language_is_switched_by_keyboard_and_kept(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    page.open("zh")
    button = page.driver.find_element("id", "language")
    button.send_keys(Keys.ENTER)
    page.wait("en")
    assert page.text("#language") == "中文"
    page.driver.get(f"{page.address}/portal/index.html")
    page.wait("en")


def test_downloads_lead_to_files(page: Page, house: ExportHouse) -> None:
    page.open("en")
    page.run("document.querySelectorAll('#dataset-list details').forEach(one => one.open = true)")
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(page.driver, 10).until(
        lambda _: page.run("return document.querySelectorAll('#dataset-list details a').length") > 4
    )
    answers = page.driver.execute_async_script(
        "const done = arguments[0]; Promise.all([...document.querySelectorAll('main a')]"
        ".map(a => fetch(a.href).then(r => [a.href, r.status]))).then(done)"
    )
    assert len(answers) > 8
    assert {status for _, status in answers} == {200}


def test_nothing_comes_from_elsewhere(page: Page) -> None:
    page.driver.get_log("performance")
    page.open("zh")
    asked = [json.loads(one["message"])["message"] for one in page.driver.get_log("performance")]
    addresses = [
        one["params"]["request"]["url"] for one in asked if one["method"] == "Network.requestWillBeSent"
    ]
    assert len(addresses) > 8
    assert [one for one in addresses if not re.match(rf"{page.address}/|data:", one)] == []


def test_structure_can_be_heard(page: Page) -> None:
    page.open("zh", 390)
    levels = page.run("return [...document.querySelectorAll('h1,h2,h3')].map(one => one.tagName)")
    assert levels[0] == "H1"
    assert set(levels[1:]) == {"H2"}
    assert page.run(
        "return [...document.querySelectorAll('table')].every(t => t.caption && t.querySelector('th[scope=row]'))"
    )
    assert page.run(_FAINT) == []
