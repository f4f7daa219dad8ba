"""Files given by path, glob and address; and where known_at comes from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
import pytest

from ecowarehouse.connectors import Delivery, FetchProblem, fetch, fetch_paths, known_at
from ecowarehouse.contracts import load_contracts
from ecowarehouse.contracts.transport import FilesConnector

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = load_contracts(ROOT / "city")
AIR = CONTRACTS["cnemc_air_hourly"]
WEATHER = CONTRACTS["weather_hourly"]


def test_paths_and_globs_in_order(tmp_path: Path) -> None:
    for name in ("b_1.csv", "a_1.csv", "c.xml"):
        (tmp_path / name).write_bytes(b"x")
    found = list(fetch_paths(AIR, [tmp_path / "c.xml", str(tmp_path / "*_1.csv")]))
    assert [d.source for d in found] == [f"file://{tmp_path}/{n}" for n in ("c.xml", "a_1.csv", "b_1.csv")]
    assert [d.form for d in found] == ["xml", "csv", "csv"]
    assert [d.payload for d in found] == [tmp_path / n for n in ("c.xml", "a_1.csv", "b_1.csv")]


def test_other_file_systems() -> None:
    with fsspec.open("memory://inbox/x_20190718_1226.csv", "wb") as file:
        file.write(b"a,b")
    (delivery,) = fetch_paths(AIR, ["memory://inbox/*.csv"])
    assert delivery.payload == b"a,b"
    assert known_at(AIR, delivery) == (datetime(2019, 7, 18, 6, 26, tzinfo=UTC), "file_name")


def test_a_feed_of_files_is_fetched_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"x")
    connector = FilesConnector(transport="files", url="${inbox.path}/*.csv")
    contract = AIR.model_copy(update={"connector": connector})
    (delivery,) = fetch(contract, resolve={"inbox.path": str(tmp_path)}.__getitem__)
    assert delivery.problem is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty_body"), (b"<!doctype html><p>", "html_instead_of_data"), (None, "not_found")],
)
def test_files_that_bring_nothing(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "x.csv"
    if content is not None:
        path.write_bytes(content)
    (delivery,) = fetch_paths(AIR, [path])
    assert delivery.problem is not None
    assert delivery.problem.reason == reason


@pytest.mark.parametrize("given", ["nothing*.csv", "no-such-system://x/y"])
def test_addresses_that_lead_nowhere(given: str) -> None:
    (delivery,) = fetch_paths(AIR, [given])
    assert delivery.problem is not None
    assert delivery.problem.reason in ("not_found", "unreadable")


@pytest.mark.parametrize(
    "name",
    [
        "20190718_1226.csv",
        "live_20190718_pull1226_partial.csv",
        "live_20190718T1226_raw.xml",
        "201907181226_data.xml",
    ],
)
def test_stamps_in_names(name: str) -> None:
    moment, rule = known_at(AIR, Delivery(f"file:///x/{name}"))
    assert (moment, rule) == (datetime(2019, 7, 18, 6, 26, tzinfo=UTC), "file_name")


def test_the_first_rule_that_applies_holds() -> None:
    said = datetime(2020, 1, 1, tzinfo=UTC)
    delivery = Delivery(
        "http://x/20190718_1226.csv", headers={"last-modified": "Thu, 18 Jul 2019 05:04:00 GMT"}
    )
    assert known_at(AIR, delivery, said) == (said, "option")
    assert known_at(AIR, delivery) == (datetime(2019, 7, 18, 5, 4, tzinfo=UTC), "header")


def test_receipt_is_the_last_resort() -> None:
    delivery = Delivery("file:///x/data.csv")
    assert known_at(AIR, delivery) == (delivery.received_at, "receipt")


@pytest.mark.parametrize(
    "delivery",
    [
        Delivery("x", headers={"last-modified": "yesterday"}),
        Delivery("x_20191399_1226.csv"),
    ],
)
def test_a_stamp_that_cannot_be_read_is_refused(delivery: Delivery) -> None:
    with pytest.raises(FetchProblem) as problem:
        known_at(AIR, delivery)
    assert problem.value.reason == "known_at_unreadable"


@pytest.mark.parametrize("content", [b'{"generated_at": "2026-01-01T00:00:00"}', b'{"generated_at": "now"}'])
def test_content_needs_a_time_with_offset(content: bytes) -> None:
    with pytest.raises(FetchProblem) as problem:
        known_at(WEATHER, Delivery("x", content))
    assert problem.value.reason == "known_at_unreadable"


def test_only_the_future_is_implausible() -> None:
    now = datetime.now(UTC)
    assert known_at(AIR, Delivery("x"), now + timedelta(hours=1))[1] == "option"
    with pytest.raises(FetchProblem, match="compare the clocks"):
        known_at(AIR, Delivery("x"), now + timedelta(hours=3))
    with pytest.raises(FetchProblem, match="needs an offset"):
        known_at(AIR, Delivery("x"), datetime(2019, 1, 1))  # noqa: DTZ001
