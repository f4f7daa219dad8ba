"""What came of each promise of a feed: every expected value in one class, whatever the order of arrival."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from ecowarehouse import completeness
from ecowarehouse.contracts import ContractSet
from ecowarehouse.decisions import reviews
from tests.conftest import own_database
from tests.integration.completeness.books import WEATHER, Books, at, books, item

FIRST, SECOND = date(2019, 7, 18), date(2019, 7, 19)


def _answers() -> list[Callable[[Books], None]]:
    """The weather day of the 18th, from 20:00 to 20:00, and the night after it."""

    def hour(label: int, *stations: str, known: float | None = None) -> Callable[[Books], None]:
        return lambda kept: kept.hour(label, *stations, known=known)

    asked = [label for label in range(-3, 22) if label not in (1, 2, 3, 4, 6, *range(8, 14))]
    return [
        *(hour(label, "W1", "W2") for label in asked),
        lambda kept: kept.bring(1.1, [item("W1", 1), item("W1", 1), item("W2", 1)]),  # a duplicate
        lambda kept: kept.bring(2.1, [item("W1", 2, "abc"), item("W2", 2)]),  # a cell that is no number
        hour(3, "W1"),  # the source does not have W2
        lambda kept: kept.bring(4.1, [item("W1", 4, "-9999"), item("W2", 4)]),  # a sentinel
        hour(6, "W1", "W2", known=14.5),  # 8.5 h after its end, where the contract allows 3
        lambda kept: kept.bring(15.2, [item("W1", 5, 21), item("W2", 5)]),  # a revision
        hour(29, "W1", "W2"),  # the source answers again
    ]


def _make(kept: Books, answers: list[Callable[[Books], None]]) -> None:
    """The books are kept in the middle too: what comes later changes days that stand."""
    for place, answer in enumerate(answers):
        answer(kept)
        if place == len(answers) // 2:
            kept.keep()
    for moment in (24.5, 25.5, 26.5, 27.5):
        kept.fail(moment)
    kept.keep()


@pytest.fixture(scope="module")
def kept(deployed_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    with (
        own_database(deployed_template) as settings,
        books(settings, tmp_path_factory.mktemp("books")) as made,
    ):
        _make(made, _answers())
        yield made


def test_a_day_is_divided_by_what_came_and_why_the_rest_did_not(kept: Books) -> None:
    assert kept.of("W1", FIRST) == {
        "expected": 24, "received": 16, "valid": 16, "source_missing": 4, "platform_missing": 4,
        "sentinel": 1, "not_in_answer": 1, "not_offered": 2, "not_asked": 4,
        "late": 1, "duplicate": 1, "rejected": 1, "revised": 1,
    }  # fmt: skip
    assert kept.of("W2", FIRST) == {
        "expected": 24, "received": 17, "valid": 17, "source_missing": 3, "platform_missing": 4,
        "not_in_answer": 1, "not_offered": 2, "not_asked": 4, "late": 1,
    }  # fmt: skip


def test_a_source_that_is_down_is_no_outage_of_ours(kept: Books) -> None:
    assert kept.of("W1", SECOND) == {
        "expected": 24, "received": 2, "valid": 2, "source_missing": 4, "source_down": 4,
        "platform_missing": 1, "not_asked": 1, "awaited": 17,
    }  # fmt: skip


def test_delays_are_counted_from_the_end_of_the_period(kept: Books) -> None:
    [(share, median, longest)] = kept.house.all(
        "select in_time_share, median_delay_seconds, max_delay_seconds from governance.completeness_day"
        " where site_code = 'W2' and channel = 'humidity' and day = %s", FIRST,
    )  # fmt: skip
    assert (float(share), median, longest) == (0.9412, 360, 30_600)


def test_a_feeds_day_adds_up_its_sites_and_channels(kept: Books) -> None:
    [found] = kept.house.all(
        "select site_count, expected_count, duplicate_count, complete_share from open.governance_feed_day"
        " where day = %s", FIRST,
    )  # fmt: skip
    # W1 misses a temperature at 02:00 and at 04:00, W2 a whole row at 03:00; and nobody asked for six hours.
    assert found[:3] == (2, 24 * 12, 6)
    assert float(found[3]) == round((288 - 2 - 6 - 6 * 12) / 288, 4)


def _stands(kept: Books) -> str:
    [feed] = completeness.standing(kept.house.admin, ContractSet({WEATHER.feed: WEATHER}, {}))
    return feed.line()


def test_a_feed_stands_with_its_newest_decided_day_and_else_with_the_newest_begun(kept: Books) -> None:
    # Of the 18th nobody asked for four hours of 12 values; of the 19th 17 hours are to come.
    assert "; 2019-07-18 complete 72.2%, missing: source 32, platform 48; refused 1" in _stands(kept)
    with kept.house.admin.transaction(force_rollback=True):
        kept.house.admin.execute("delete from governance.feed_day where day <= %s", [FIRST])
        assert "; 2019-07-19 complete 28.6%, missing: source 48, platform 12; still awaited 204" in _stands(
            kept
        )


def test_the_order_of_arrival_does_not_matter(kept: Books, deployed_template: str, tmp_path: Path) -> None:
    with own_database(deployed_template) as settings, books(settings, tmp_path) as other:
        answers = _answers()
        _make(other, answers[::-2] + answers[-2::-2])
        assert other.content() == kept.content()
        assert other.sound()


def test_what_happens_to_one_day_rebuilds_that_day_alone(kept: Books) -> None:
    before = dict(_builds(kept))
    person = {"stage": "first_review", "validity": "invalid", "reason": "instrument_fault", "by": "a steward"}
    reviews.review(
        kept.house.conn, WEATHER, site="W1", periods=(at(14), at(15)), channel="temperature", **person
    )
    kept.keep()
    assert kept.of("W1", FIRST)["invalidated_by_review"] == 1
    assert kept.of("W1", FIRST)["valid"] == 15
    after = dict(_builds(kept))
    assert [day for day in after if after[day] != before[day]] == [FIRST]


def _builds(kept: Books) -> list[tuple[date, int]]:
    return [(day, build) for day, build in kept.house.all("select day, build_id from governance.feed_day")]


def test_another_day_boundary_divides_the_same_values_anew(kept: Books) -> None:
    hydrology = WEATHER.model_copy(
        update={"period": WEATHER.period.model_copy(update={"day_boundary": "08:00"})}
    )
    kept.house.contract = hydrology
    kept.hour(30, "W1", "W2")
    kept.build()
    # From 08:00 of the 17th to 08:00 of the 18th: the feed and its stations begin at 20:00.
    day = kept.of("W1", date(2019, 7, 17))
    assert (day["expected"], day["not_required"], day["received"]) == (24, 12, 9)
    assert kept.days("W1") == [date(2019, 7, 17), date(2019, 7, 18)]


def test_samples_are_not_counted_by_hours(deployed_template: str, tmp_path: Path) -> None:
    monthly = WEATHER.model_copy(
        update={"period": WEATHER.period.model_copy(update={"sampled_every": timedelta(days=31)})}
    )
    with own_database(deployed_template) as settings, books(settings, tmp_path) as kept:
        kept.house.contract = monthly
        kept.hour(1, "W1")
        kept.build()
        assert kept.days("W1") == []
        [feed] = completeness.standing(kept.house.admin, ContractSet({monthly.feed: monthly}, {}))
        assert "not counted by day" in feed.line()
