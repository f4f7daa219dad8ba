"""The synthetic city: one seed one city, labelled, sensible, and no fault that its manifest does not tell."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from simulation.city import City, Faults, likeness
from simulation.city.delivery import truth
from simulation.city.departments.registry import FEEDS
from simulation.city.nature.rivers import travel_hours
from simulation.city.places import air as air_places
from simulation.city.places import noise as noise_places
from simulation.city.places.geography import TOWNSHIPS, kilometres
from simulation.city.places.register import all_sites
from simulation.city.places.rivers import GAUGES
from simulation.city.window import CHINA

ROOT = Path(__file__).resolve().parents[3]
SMALL = {"seed": 7, "days": 30, "months": 2}


@pytest.fixture(scope="module")
def city() -> City:
    """Thirty days of seed 7: a second and a half."""
    return City(**SMALL)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def quiet() -> City:
    """The same city without faults."""
    return City(**SMALL, faults=Faults(scale=0))  # type: ignore[arg-type]


def begin(city: City) -> datetime:
    return datetime.fromtimestamp(city.window.begin, CHINA)


def same(found: pa.Table, expected: pa.Table) -> None:
    assert found.equals(expected), f"{found.num_rows} rows against {expected.num_rows}"


def digest_elsewhere() -> str:
    code = f"from simulation.city import City; print(City(**{SMALL!r}).digest())"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    ).stdout.strip()


# --- one seed, one city ---------------------------------------------------------------------------------------------


def test_a_seed_is_the_same_city_in_another_process_and_another_seed_is_another(city: City) -> None:
    assert digest_elsewhere() == city.digest()
    other = City(seed=8, days=30, months=2)
    assert not other.feed("hydrology").clean().equals(city.feed("hydrology").clean())


def test_a_feed_does_not_depend_on_what_was_asked_before(city: City) -> None:
    alone = City(**SMALL)  # type: ignore[arg-type]
    for name in ("lab_result", "water_station_4h", "outlet_gas_hour"):
        same(alone.feed(name).rows(), city.feed(name).rows())
        assert list(alone.feed(name).plants) == list(city.feed(name).plants)


def test_places_are_the_same_for_every_seed(city: City) -> None:
    other = City(seed=8, days=30, months=2)
    columns = ["site_code", "site_name", "longitude", "latitude", "valid_from"]
    same(
        other.feed("site_register").rows().select(columns), city.feed("site_register").rows().select(columns)
    )


def test_an_unknown_feed_is_told_with_those_that_are(city: City) -> None:
    with pytest.raises(KeyError, match=r"no feed 'river'; it has air_station_hour, .*yearly_statistics"):
        city.feed("river")


# --- labelled -------------------------------------------------------------------------------------------------------


def test_every_row_of_every_feed_says_synthetic(city: City) -> None:
    for feed in city.feeds():
        shown = feed.rows()
        assert shown.schema.metadata[b"data"] == b"synthetic"
        labels = [name for name in shown.column_names if _says_synthetic(shown[name])]
        assert labels, feed.name
        assert "（合成）" in feed.draft.title


def _says_synthetic(column: pa.ChunkedArray) -> bool:
    if not pa.types.is_string(column.type):
        return False
    texts = pc.unique(column).to_pylist()
    return all(
        text is not None and (text.startswith("synthetic") or text.endswith("（合成）")) for text in texts
    )


def test_sites_lie_in_guiping_with_codes_of_their_own_and_a_label() -> None:
    by_code: Counter[tuple[str, str]] = Counter()
    townships = {t.code for t in TOWNSHIPS}
    for _, department, site in all_sites():
        by_code[department, site.code] += 1
        assert 109.65 < site.longitude < 110.45, site
        assert 22.85 < site.latitude < 23.8, site
        assert site.township in townships
        assert site.name.endswith("（合成）")
    assert max(by_code.values()) == 1
    kinds = {s.kind for s in air_places.STATIONS}
    assert kinds >= {"assessment", "reference", "regional", "background", "traffic", "source_oriented"}
    assert {s.township for s in air_places.STATIONS} == townships


def test_townships_are_those_of_the_register(shared: Path) -> None:
    lines = (shared / "standards" / "admin_divisions.csv").read_text(encoding="utf-8").splitlines()
    known = {tuple(line.split(",")[:2]) for line in lines if ",township,450881," in line}
    assert {(t.code, t.name) for t in TOWNSHIPS} == known
    assert len(known) == 26


# --- known truth ----------------------------------------------------------------------------------------------------


def test_the_written_manifest_applied_to_the_clean_rows_gives_the_delivered_ones(city: City) -> None:
    written = truth.plants_of(city.manifest())
    for feed in city.feeds():
        mine = [p for p in written if p.feed == feed.name]
        assert mine == [*feed.draft.phenomena, *feed.plants]
        again = truth.deliver(feed.draft.clean, feed.draft.properties, mine)
        for column, values in feed.first().items():
            np.testing.assert_array_equal(again.values[column], values)


def test_no_cell_differs_from_the_clean_one_but_where_a_plant_is_and_every_plant_changes_something(
    city: City,
) -> None:
    for feed in city.feeds():
        clean = feed.draft.clean
        places = {site.code: number for number, site in enumerate(clean.sites)}
        differs = {
            column: ~((values == clean.values[column]) | (np.isnan(values) & np.isnan(clean.values[column])))
            for column, values in feed.first().items()
        }
        for plant in feed.plants:
            rows = clean.between(places[plant.site], plant.property, plant.begin, plant.end)
            assert len(rows), plant
            if plant.kind in ("late_batch", "duplicate") or plant.parameters.get("form") == "row":
                continue
            column = clean.column(plant.property)
            if plant.kind not in ("flat_line", "drift", "falsified"):
                assert differs[column][rows].all(), plant
            assert differs[column][rows].any(), plant
            differs[column][rows] = False
        assert not any(left.any() for left in differs.values()), feed.name


def test_a_reader_of_the_manifest_alone_rebuilds_the_hydrology_table(city: City) -> None:
    """Rows of the two tables and rows of the manifest, and nothing of the package that made them."""
    columns = {"water_level": "Z", "flow": "Q"}
    decimals = {"Z": 2, "Q": 1}
    clean: dict[tuple[str, datetime], dict[str, Any]] = {
        (row["STCD"], row["TM"]): row for row in city.feed("hydrology").clean().to_pylist()
    }
    rebuilt = {key: dict(row) for key, row in clean.items()}
    copies: Counter[tuple[str, datetime]] = Counter(dict.fromkeys(clean, 1))
    for plant in city.manifest().to_pylist():
        if plant["feed"] != "hydrology":
            continue
        known: dict[str, Any] = __import__("json").loads(plant["parameters"])
        keys = [k for k in clean if k[0] == plant["site"] and plant["from"] <= k[1] < plant["to"]]
        for key in keys:
            if plant["kind"] == "duplicate":
                copies[key] += known["copies"]
            elif plant["kind"] == "gap" and known["form"] == "row":
                copies[key] = 0
            elif plant["kind"] not in (
                "late_batch",
                "correction",
            ):  # in the end these are as if nothing had been
                name = columns[plant["property"]]
                rebuilt[key][name] = _faulty(plant, known, clean, key, name, decimals[name])
    expected = Counter(
        {(*key, row["Z"], row["Q"]): copies[key] for key, row in rebuilt.items() if copies[key]}
    )
    shown = city.feed("hydrology").rows().to_pylist()
    assert Counter((r["STCD"], r["TM"], r["Z"], r["Q"]) for r in shown) == expected


def _faulty(
    plant: dict[str, Any], known: dict[str, Any], clean: dict[tuple[str, datetime], dict[str, Any]],
    key: tuple[str, datetime], name: str, decimals: int,
) -> float | None:  # fmt: skip
    true = clean[key][name]
    since = (key[1] - plant["from"]) / (plant["to"] - plant["from"])
    stretch = [r[name] for k, r in clean.items() if k[0] == key[0] and plant["from"] <= k[1] < plant["to"]]
    if plant["kind"] == "falsified" and known["method"] == "copied":
        return float(clean[key[0], key[1] - timedelta(seconds=known["lag"])][name])
    found = {
        "gap": lambda: None,
        "sentinel": lambda: known["value"],
        "flat_line": lambda: known["value"],
        "unit_error": lambda: true * known["factor"],
        "spike": lambda: true + known["amplitude"],
        "drift": lambda: true * (1 + known["share"] * since),
        "falsified": lambda: float(np.mean(stretch)) + (true - float(np.mean(stretch))) / 10,
    }[plant["kind"]]()
    return None if found is None else float(np.round(found, decimals))


def test_plants_do_not_touch_one_another(city: City) -> None:
    for feed in city.feeds():
        spans: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        names = [p.name for p in feed.draft.properties]
        for plant in feed.plants:
            for name in [plant.property] if plant.property else names:
                spans[plant.site, name].append((plant.begin, plant.end))
        for place, found in spans.items():
            found.sort()
            assert all(a[1] <= b[0] for a, b in itertools.pairwise(found)), (feed.name, place)


def test_faults_are_how_often_and_where_one_says(city: City, quiet: City) -> None:
    for feed in quiet.feeds():
        assert not feed.plants
        same(feed.rows(), feed.clean())
    chosen = Faults(by_feed={"hydrology": {"spike": 40, "drift": 0}}, feeds=frozenset({"hydrology"}))
    other = City(**SMALL, faults=chosen)  # type: ignore[arg-type]
    kinds = Counter(p.kind for p in other.feed("hydrology").plants)
    assert kinds["spike"] == 10  # a quarter of 120 days
    assert not kinds["drift"]
    assert not other.feed("reservoir").plants
    same(other.feed("hydrology").clean(), city.feed("hydrology").clean())
    with pytest.raises(ValueError, match="no such kind of fault: spikes; there are gap"):
        Faults(dense={"spikes": 1})


def test_half_of_the_detection_limit_lies_flat_without_a_fault(city: City) -> None:
    feed = city.feed("water_station_4h")
    decoys = [p for p in feed.draft.phenomena if p.kind == "half_limit_decoy"]
    assert decoys
    clean = feed.draft.clean
    places = {site.code: number for number, site in enumerate(clean.sites)}
    for decoy in decoys:
        rows = clean.between(places[decoy.site], decoy.property, decoy.begin, decoy.end)
        assert len(rows) >= 3
        assert set(clean.values["ammonia_nitrogen"][rows]) == {0.025}
    assert not [p for p in feed.plants if p.kind == "flat_line" and p.parameters["value"] == 0.025]


# --- a source at a moment -------------------------------------------------------------------------------------------


def first_of(city: City, feed: str, kind: str) -> truth.Plant:
    return next(p for p in city.feed(feed).plants if p.kind == kind)


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, CHINA)


def test_a_late_batch_is_absent_until_it_arrives(city: City) -> None:
    plant = first_of(city, "hydrology", "late_batch")
    feed = city.feed("hydrology")

    def shown(known_at: datetime) -> int:
        rows = feed.rows(at(plant.begin), at(plant.end), known_at)
        return pc.sum(pc.equal(rows["STCD"], plant.site)).as_py() or 0

    arrives = at(plant.parameters["arrives"])
    assert shown(arrives - timedelta(seconds=1)) == 0
    assert shown(arrives) == (plant.end - plant.begin) // 3600


def test_a_correction_shows_the_first_value_until_its_moment(city: City) -> None:
    plant = first_of(city, "air_station_hour", "correction")
    feed = city.feed("air_station_hour")
    column = {"so2": "SO2", "no2": "NO2", "co": "CO", "o3": "O3", "pm10": "PM10", "pm2_5": "PM25"}[
        plant.property
    ]

    def values(known_at: datetime | None) -> list[float]:
        rows = feed.rows(at(plant.begin), at(plant.end), known_at).filter(
            pc.field("stationCode") == plant.site
        )
        return rows[column].to_pylist()

    true = (
        feed.clean(at(plant.begin), at(plant.end))
        .filter(pc.field("stationCode") == plant.site)[column]
        .to_pylist()
    )
    moment = at(plant.parameters["at"])
    before = values(moment - timedelta(seconds=1))
    assert len(before) == len(true)
    assert all(a != b for a, b in zip(before, true, strict=True))
    assert values(moment) == values(None) == true


def test_duplicates_come_in_their_moment_and_stay(city: City) -> None:
    plant = first_of(city, "hydrology", "duplicate")
    feed = city.feed("hydrology")

    def most(known_at: datetime) -> int:
        rows = feed.rows(at(plant.begin), at(plant.end), known_at).filter(pc.field("STCD") == plant.site)
        return max(Counter(rows["TM"].to_pylist()).values())

    moment = at(plant.parameters["at"])
    assert most(moment - timedelta(seconds=1)) == 1
    assert most(moment) == most(moment + timedelta(days=9)) == 1 + plant.parameters["copies"]


def test_nothing_is_shown_before_its_period_is_over(city: City) -> None:
    now = begin(city) + timedelta(days=10, hours=7, minutes=3)
    for name in FEEDS:
        feed = city.feed(name)
        if feed.draft.step is None or name in (
            "hydrology",
            "reservoir",
            "groundwater_level",
            "water_station_4h",
        ):
            continue  # registers; instants
        shown = feed.rows(since=now - timedelta(seconds=feed.draft.step - 1), known_at=now)
        assert shown.num_rows == 0, name


def test_a_reader_with_a_cursor_gets_every_change_once_and_in_the_end_what_stands(city: City) -> None:
    feed = city.feed("reservoir")
    cursor, standing, read = begin(city) - timedelta(days=1), {}, 0
    while cursor < begin(city) + timedelta(days=45):
        now = cursor + timedelta(hours=30)
        part = feed.rows(known_at=now, changed_after=cursor).to_pylist()
        standing.update({row["TM"]: row for row in part})
        read, cursor = read + len(part), now
    whole = feed.rows().to_pylist()
    assert list(dict(sorted(standing.items())).values()) == [
        r for n, r in enumerate(whole) if n + 1 == len(whole) or whole[n + 1]["TM"] != r["TM"]
    ]
    corrected = sum((p.end - p.begin) // 3600 for p in feed.plants if p.kind == "correction")
    assert len(whole) <= read <= len(whole) + corrected


def test_a_register_knows_only_what_is_past(city: City) -> None:
    feed = city.feed("site_register")
    moved = begin(city) + timedelta(days=25)  # GPA2015 gets another name

    def rows(known_at: datetime) -> list[dict[str, Any]]:
        return feed.rows(known_at=known_at).filter(pc.field("site_code") == "GPA2015").to_pylist()

    (before,) = rows(moved - timedelta(seconds=1))
    assert before["valid_to"] is None
    first, second = rows(moved)
    assert (first["site_name"], first["valid_to"]) == (before["site_name"], moved.date())
    assert second["site_name"] != first["site_name"]
    assert second["valid_from"] == moved.date()


# --- nature ---------------------------------------------------------------------------------------------------------


def grid(city: City, feed: str, of: str) -> np.ndarray[Any, Any]:
    clean = city.feed(feed).draft.clean
    return clean.values[of].reshape(-1, len(clean.sites))


def test_what_flows_in_flows_on_below_the_confluence(quiet: City) -> None:
    flow = grid(quiet, "hydrology", "flow")
    column = {site.code: number for number, site in enumerate(GAUGES)}
    hours = travel_hours("xun", 0.5)
    ends = [flow[:, column[code]] for code in ("99800103", "99800203")]
    arriving = np.interp(
        np.arange(len(flow)) - hours, np.arange(len(flow)), sum(ends, start=np.zeros(len(flow)))
    )
    error = np.abs(flow[:, column["99800302"]] / arriving - 1)[24:]
    assert np.median(error) < 0.01
    assert error.max() < 0.05
    level = grid(quiet, "hydrology", "water_level")
    assert np.corrcoef(level[:, column["99800302"]], flow[:, column["99800302"]])[0, 1] > 0.95


def test_the_reservoir_keeps_its_water(quiet: City) -> None:
    inflow, outflow, storage = (grid(quiet, "reservoir", of)[:, 0] for of in ("inflow", "outflow", "storage"))
    gained = np.cumsum(inflow - outflow)[:-1] * 3600 / 1e6
    assert np.abs((storage[1:] - storage[0]) - (gained - gained[0] + gained[0] * 0)).max() < 25  # of 2,000


def test_days_of_hydrology_run_from_eight_to_eight(quiet: City) -> None:
    hours = quiet.feed("hydrology").clean().filter(pc.field("STCD") == "99800101").to_pylist()
    days = quiet.feed("hydrology_day").clean().filter(pc.field("STCD") == "99800101").to_pylist()
    for day in days[:-1]:
        inside = [h["Q"] for h in hours if day["IDTM"] - timedelta(days=1) <= h["TM"] < day["IDTM"]]
        assert day["IDTM"].hour == 8
        assert len(inside) == 24
        assert abs(np.mean(inside) - day["AVQ"]) < 0.11


def test_a_spill_passes_the_stations_one_after_the_other_and_thins(quiet: City) -> None:
    spills = defaultdict(list)
    for plant in quiet.feed("water_station_4h").draft.phenomena:
        if plant.kind == "pollution_event" and plant.property == "ammonia_nitrogen":
            spills[plant.parameters["event"]].append(plant)
    clean = quiet.feed("water_station_4h").draft.clean
    places = {site.code: number for number, site in enumerate(clean.sites)}
    followed = 0
    for passages in spills.values():
        peaks = []
        for plant in sorted(passages, key=lambda p: p.begin):
            rows = clean.between(places[plant.site], plant.property, plant.begin, plant.end)
            usual = np.nanmedian(clean.values[plant.property][clean.rows(places[plant.site])])
            if len(rows):
                values = clean.values[plant.property][rows]
                peaks.append((clean.time[rows][values.argmax()], values.max() / usual))
        if len(peaks) > 1:
            followed += 1
            assert peaks[0][1] > 3  # plain to see where it begins
            assert all(a[0] <= b[0] for a, b in itertools.pairwise(peaks))
            assert peaks[-1][1] < peaks[0][1]
    assert followed


def test_wind_and_rain_clean_the_air_and_neighbours_breathe_alike(quiet: City) -> None:
    air, weather = quiet.world.air, quiet.world.weather
    at_home = weather.speed[:, 16], weather.rain[:, 16]  # 西山镇
    station = 0
    no2, pm10 = (np.log(air.values[p][:, station]) for p in ("no2", "pm10"))
    assert np.corrcoef(no2, np.log(at_home[0] + 0.1))[0, 1] < -0.1
    wet = np.convolve(at_home[1], np.ones(6), "full")[: len(pm10)] > 3
    assert pm10[wet].mean() < pm10[~wet].mean() - 0.1
    alike = np.corrcoef(np.log(air.values["pm2_5"].T))
    distance = np.linalg.norm(
        kilometres(air_places.STATIONS)[:, None] - kilometres(air_places.STATIONS), axis=2
    )
    near, far = alike[(distance > 0) & (distance < 6)].mean(), alike[distance > 45].mean()
    assert near > far + 0.15
    assert (air.values["pm2_5"] > air.values["pm10"]).mean() < 0.01


def test_a_plume_drifts_with_the_wind(quiet: City) -> None:
    world = quiet.world
    positions = kilometres(air_places.STATIONS)
    for plume in world.air.plumes:
        reached = [r for r in world.air.reached if r[0] == plume]
        first = int(np.searchsorted(world.hours, plume.begin))
        wind = np.array(
            [
                world.weather.east[first : first + 6, plume.township].sum(),
                world.weather.north[first : first + 6, plume.township].sum(),
            ]
        )
        early = [positions[r[1]] for r in reached if r[2] <= plume.begin + 3600]
        late = [positions[r[1]] for r in reached if r[3] >= plume.begin + 8 * 3600]
        if early and late and np.linalg.norm(wind) > 6:
            assert (np.mean(late, axis=0) - np.mean(early, axis=0)) @ wind > 0


def test_rain_raises_the_dose_rate_for_an_hour_or_two(quiet: City) -> None:
    dose, rain = grid(quiet, "radiation_dose_hour", "dose_rate"), grid(quiet, "radiation_dose_hour", "rain")
    for station in range(dose.shape[1]):
        heavy = np.flatnonzero(rain[:-6, station] > 2)
        dry = np.flatnonzero(np.convolve(rain[:, station], np.ones(8), "full")[: len(rain)] == 0)
        assert dose[heavy, station].mean() > dose[dry, station].mean() + 8
        ended = [h for h in heavy if rain[h + 1 : h + 6, station].sum() == 0]
        if ended:
            assert (dose[np.array(ended) + 4, station] - dose[dry, station].mean()).mean() < 3


def test_nights_are_quieter_and_loud_zones_louder(quiet: City) -> None:
    leq = grid(quiet, "noise_hour", "leq")
    hour = np.arange(len(leq)) % 24
    night = (hour >= 22) | (hour < 6)
    by_zone = defaultdict(list)
    for number, meter in enumerate(noise_places.METERS):
        day, dark = leq[~night, number].mean(), leq[night, number].mean()
        assert 2 < day - dark < 12, meter
        by_zone[meter.attributes["zone"]].append(day)
    means = [np.mean(by_zone[zone]) for zone in ("0", "1", "2", "3", "4a")]
    assert means == sorted(means)


def test_minutes_have_the_energy_of_their_hour(quiet: City) -> None:
    minutes = grid(quiet, "noise_minute", "leq").reshape(-1, 60, len(noise_places.BY_MINUTE))
    energy = 10 * np.log10((10 ** (minutes / 10)).mean(axis=1))
    chosen = [noise_places.METERS.index(m) for m in noise_places.BY_MINUTE]
    assert np.abs(energy - grid(quiet, "noise_hour", "leq")[:, chosen]).max() < 0.12


def test_excesses_are_over_the_limit_and_nothing_else_is(quiet: City) -> None:
    for name in ("outlet_water_hour", "outlet_gas_hour"):
        feed = quiet.feed(name)
        clean, limits = feed.draft.clean, {p.name: p.cap for p in feed.draft.properties if p.cap}
        over = {of: clean.values[of] > limit for of, limit in limits.items()}
        places = {site.code: number for number, site in enumerate(clean.sites)}
        for plant in feed.draft.phenomena:
            rows = clean.between(places[plant.site], plant.property, plant.begin, plant.end)
            assert over[plant.property][rows].all()
            over[plant.property][rows] = False
        assert not any(left.any() for left in over.values())


def test_a_month_is_the_mean_of_its_hours(quiet: City) -> None:
    months = quiet.months("weather_hour").filter(
        (pc.field("site") == "SYNW01") & (pc.field("property") == "temperature")
    )
    (july,) = [m for m in months.to_pylist() if m["month"] == quiet.window.first_day]
    hours = (
        quiet.feed("weather_hour")
        .clean()
        .filter(pc.field("station_id") == "SYNW01")["temperature"]
        .to_numpy()
    )
    assert july["number"] == len(hours)
    assert july["mean"] == pytest.approx(hours.mean(), abs=0.01)
    assert (july["least"], july["greatest"]) == (hours.min(), hours.max())
    with pytest.raises(KeyError, match="no continuous series"):
        quiet.months("tap_water")


def test_laboratories_write_censored_results_blanks_and_parallels(quiet: City) -> None:
    samples = {s["SAMPLE_NO"]: s for s in quiet.feed("lab_sample").rows().to_pylist()}
    results = quiet.feed("lab_result").rows().to_pylist()
    assert {r["SAMPLE_NO"] for r in results} == set(samples)
    kinds = Counter(s["QC_KIND"] for s in samples.values())
    assert kinds["parallel"]
    assert kinds["blank"]
    assert {s["VERTICAL"] for s in samples.values()} == {"左", "中", "右"}
    values = {(r["SAMPLE_NO"], r["ITEM_CODE"]): r["RESULT"] for r in results}
    assert any(v.endswith("L") for v in values.values())
    for (number, item), value in values.items():
        sample = samples[number]
        if sample["QC_KIND"] == "blank":
            assert value.endswith("L")
        elif sample["QC_KIND"] == "parallel" and item in ("T02", "T04", "T12"):
            twin = values[sample["PARALLEL_OF"], item]
            assert float(value) == pytest.approx(float(twin), rel=0.15)


# --- the whole city -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_whole_city_takes_less_than_a_minute_has_enough_faults_and_breathes_like_a_real_one() -> None:
    begun = time.process_time()
    city = City(seed=1)
    rows = {feed.name: feed.rows().num_rows for feed in city.feeds()}
    months = {name: city.months(name).num_rows for name in FEEDS if city.feed(name).draft.months}
    manifest = city.manifest()
    seconds = time.process_time() - begun
    print(
        f"{sum(rows.values()):,} rows of {len(rows)} feeds, {sum(months.values()):,} months, {seconds:.1f} s"
    )
    assert seconds < 60
    assert len(pc.unique(city.months("air_station_hour")["month"])) == 26
    kinds = Counter(manifest["kind"].to_pylist())
    print(dict(kinds))
    wanted = {*truth.FAULTS, *truth.PHENOMENA} - {"expired_verification"}
    assert not {kind: kinds[kind] for kind in wanted if kinds[kind] < 30}
    for seed in (1, 2):
        found = likeness.measured(city if seed == 1 else City(seed))
        print(f"seed {seed}\n{likeness.table(found)}")
        assert not [m for m in found if not m.inside]


def test_the_ranges_of_real_stations_are_those_of_the_files(shared: Path) -> None:
    stations = sorted((shared / "data" / "air").glob("PRSA_Data_*.csv"))
    assert len(stations) == 4
    headings = {"so2": "SO2", "no2": "NO2", "co": "CO", "o3": "O3", "pm10": "PM10", "pm2_5": "PM2.5"}
    import csv

    found: defaultdict[str, list[tuple[float, ...]]] = defaultdict(list)
    for path in stations:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for name, heading in headings.items():
            cells = [row[heading].strip() for row in rows]
            values = np.array([float("nan") if cell in ("NA", "") else float(cell) for cell in cells])
            found[name].append(likeness.of_station(values, int(rows[0]["hour"])))
    for name, measures in found.items():
        for turn, (least, greatest) in enumerate(likeness.BEIJING[name]):
            real = [m[turn] for m in measures]
            digit = 10.0 ** -(3, 3, 2, 4)[turn]
            print(f"{name:6} {likeness.MEASURES[turn]:20} {min(real):.4f} to {max(real):.4f}")
            assert min(real) - digit < least <= min(real)
            assert max(real) <= greatest < max(real) + digit
