"""Duties: who may deliver, who answers on which day, and what is said of a line that makes no sense."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ecowarehouse.duties import NOBODY, Duties, DutyError, owner_of
from ecowarehouse.settings import Settings

HEAD = "department,element,kind,valid_from,valid_to,document,mark\n"


def duties(city: Path, *lines: str) -> Duties:
    (city / "duties.csv").write_text(HEAD + "".join(f"{line},paper,S\n" for line in lines), encoding="utf-8")
    return Duties.read(city)


def test_the_weightiest_duty_of_the_day_answers(tmp_path: Path) -> None:
    found = duties(
        tmp_path,
        "old,air,lead,2016-01-01,2020-12-31",
        "new,air,lead,2021-01-01,",
        "helper,air,joint,2016-01-01,",
        "reader,air,reads,2016-01-01,",
    )
    assert found.owner("air", date(2020, 12, 31)) == "old"
    assert found.owner("air", date(2021, 1, 1)) == "new"
    assert found.owner("air", date(2015, 12, 31)) == NOBODY
    assert found.owner("noise", date(2021, 1, 1)) == NOBODY


def test_a_duty_that_has_ended_answers_for_nothing_and_still_delivers(tmp_path: Path) -> None:
    found = duties(tmp_path, "old,air,lead,2016-01-01,2020-12-31")
    assert found.owner("air", date(2024, 1, 1)) == NOBODY
    assert found.problem("old", "air") is None
    assert "no duty for 'noise'" in (found.problem("old", "noise") or "")


def test_who_leads_decides_about_all_values_and_who_delivers_about_its_own(tmp_path: Path) -> None:
    found = duties(
        tmp_path,
        "leads,air,lead,2016-01-01,",
        "joins,air,joint,2016-01-01,2019-12-31",
        "gives,air,provides_data,2016-01-01,",
        "looks,air,supervises,2016-01-01,",
    )
    day = date(2019, 12, 31)
    assert [d for d in ("leads", "joins", "gives", "looks") if found.may_decide(d, "air", day)] == [
        "leads",
        "joins",
    ]
    assert [d for d in ("joins", "gives", "looks") if found.delivers(d, "air", date(2020, 1, 1))] == ["gives"]


def test_every_department_of_the_plan_has_a_duty_and_every_element_a_lead() -> None:
    found = Duties.read(Settings.load({}).city)
    assert {duty.department for duty in found.duties} == found.departments
    elements = ("air", "water", "soil", "ecology", "radiation", "noise", "pollution", "weather", "hydrology",
                "governance", "analysis")  # fmt: skip
    for day in (date(2016, 6, 1), date(2026, 6, 1)):
        assert NOBODY not in {found.owner(element, day) for element in elements}


def test_a_department_is_known_by_the_city(tmp_path: Path) -> None:
    (tmp_path / "departments.yml").write_text("old: {zh: 甲, en: A}\n", encoding="utf-8")
    found = duties(tmp_path, "old,air,lead,2016-01-01,")
    assert "not in departments.yml (old)" in (found.problem("odl", "air") or "")


def test_who_only_reads_delivers_nothing(tmp_path: Path) -> None:
    found = duties(tmp_path, "reader,air,reads,2016-01-01,", "watcher,air,supervises,2016-01-01,")
    assert "it only reads" in (found.problem("reader", "air") or "")
    assert found.problem("watcher", "air") is None  # its registers are what it supervises by


def test_a_department_that_is_misspelt_is_named(tmp_path: Path) -> None:
    (tmp_path / "departments.yml").write_text("old: {zh: 甲, en: A}\n", encoding="utf-8")
    with pytest.raises(DutyError, match=r"not in departments.yml: odl; .*\(old\)"):
        duties(tmp_path, "odl,air,lead,2016-01-01,")


def test_a_file_in_another_encoding_says_so(tmp_path: Path) -> None:
    (tmp_path / "duties.csv").write_bytes(HEAD.encode() + "甲,air,lead,2016-01-01,,文件,S\n".encode("gbk"))
    with pytest.raises(DutyError, match=r"is not UTF-8 .* Mend: save it as CSV UTF-8"):
        Duties.read(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "a,air,laed,2016-01-01,",
        "a,air,lead,,",
        "a,air,lead,2016-01-01,soon",
        "a,air",
        "a,air,lead,2016-01-01,2015-01-01",
    ],
)
def test_a_line_that_makes_no_sense_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(DutyError, match="line 2: expected department, element, kind"):
        duties(tmp_path, line)


def test_the_city_names_one_of_its_departments_as_its_own() -> None:
    settings = Settings.load({})
    assert settings.department in (Duties.read(settings.city).departments or ())
    assert owner_of(settings, "air") == "ecology_environment"
