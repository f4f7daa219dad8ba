"""A drop folder: finished files once and then put away, refused ones until they are mended."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecowarehouse.landing import store
from ecowarehouse.settings import Settings
from tests.integration.department_house import content, department, ends, pull, temperatures, weather_by
from tests.integration.feed_house import FeedHouse

DROP = {"transport": "drop", "pattern": "*.csv", "settle_seconds": 0.05, "url": "${department.folder}"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "drop").mkdir()
    monkeypatch.setenv("ECO_SECRET_DEPARTMENT_FOLDER", str(tmp_path / "drop"))
    return tmp_path / "drop"


@pytest.fixture
def house(deployed: Settings, folder: Path, tmp_path: Path) -> Iterator[FeedHouse]:
    with department(deployed, tmp_path, weather_by(DROP)) as made:
        yield made


def names(folder: Path) -> list[str]:
    return sorted(path.name.rpartition("_")[2] for path in folder.iterdir() if path.is_file())


def put_upload(folder: Path, name: str, *rows: tuple[str, int, str]) -> Path:
    path = folder / "uploaded" / ("f" * 32) / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content(*rows))
    return path


def test_a_dropped_file_lands_once_and_is_put_away(house: FeedHouse, folder: Path) -> None:
    assert [reason for _, reason, _ in ends(house)] == ["not_found"]
    (folder / "a.csv").write_bytes(content(("W1", 8, "1.50")))
    (folder / "b.csv.part").write_bytes(content(("W1", 9, "2.50")))
    (folder / "link.csv").symlink_to("/etc/hostname")
    assert ends(house) == [("loaded", None, 1)]
    assert (names(folder / "taken"), names(folder)) == (["a.csv"], ["b.csv.part", "link.csv"])
    assert ends(house) == [("unchanged", "not_modified", 1)]
    (folder / "a.csv").write_bytes(content(("W1", 8, "1.75")))  # the same name again is another file
    (folder / "b.csv.part").rename(folder / "b.csv")
    assert ends(house) == [("loaded", None, 1)] * 2
    assert names(folder / "taken") == ["a.csv", "a.csv", "b.csv"]
    assert temperatures(house) == [("W1", 8, "1.75"), ("W1", 9, "2.50")]


def test_a_refused_file_stays_until_it_is_mended(house: FeedHouse, folder: Path) -> None:
    bad = content(("W1", 8, "1.50")).replace(b"humidity", b"rh")
    (folder / "a.csv").write_bytes(bad)
    assert ends(house) == [("rejected", "header_changed", 0)]
    assert ends(house) == [("rejected", "header_changed", 0)]
    (folder / "a.csv").write_bytes(content(("W1", 8, "1.50")))
    assert ends(house) == [("loaded", None, 1)]
    assert names(folder) == []


def test_what_landed_before_a_crash_is_put_away_and_not_landed_again(house: FeedHouse, folder: Path) -> None:
    path = folder / "a.csv"
    path.write_bytes(content(("W1", 8, "1.50")))
    state = path.stat()
    assert ends(house) == [("loaded", None, 1)]
    path.write_bytes(content(("W1", 8, "1.50")))
    os.utime(
        path, ns=(state.st_atime_ns, state.st_mtime_ns)
    )  # as if the process had died before it was moved
    assert ends(house) == [("unchanged", "not_modified", 1)]
    assert names(folder) == []


def test_a_file_that_other_feeds_read_stays_and_lands_once(house: FeedHouse, folder: Path) -> None:
    house.contract = weather_by({**DROP, "put_away": False})
    (folder / "a.csv").write_bytes(content(("W1", 8, "1.50")))
    assert ends(house) == [("loaded", None, 1)]
    assert ends(house) == [("unchanged", "not_modified", 1)]
    assert names(folder) == ["a.csv"]


def test_a_name_that_is_not_utf8_is_read_as_windows_wrote_it(house: FeedHouse, folder: Path) -> None:
    (folder / "good.csv").write_bytes(content(("W1", 8, "1.50")))
    for number, name in enumerate(["数据.csv".encode("gbk"), b"\xff.csv", "数据.csv".encode()]):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(
            content((f"W{number + 2}", 8, "1.50"))
        )
    landed = {batch.source.rpartition("/")[2]: batch.outcome for batch in pull(house)}
    # Two names that read alike stay two: the one that is not UTF-8 shows its bytes.
    wanted = [r"\xca\xfd\xbe\xdd.csv", r"\xff.csv", "good.csv", "数据.csv"]
    assert landed == dict.fromkeys(wanted, "loaded")
    assert [code for code, *_ in temperatures(house)] == ["W1", "W2", "W3", "W4"]
    assert names(folder / "taken") == [r"\xff.csv", "good.csv", "数据.csv", "数据.csv"]
    alone = Path(os.fsdecode(os.fsencode(folder) + b"/" + "数据.csv".encode("gbk")))
    alone.write_bytes(content(("W5", 8, "1.50")))
    assert [(b.source.rpartition("/")[2], b.outcome) for b in pull(house)] == [("数据.csv", "loaded")]
    assert names(folder) == []


def test_what_can_not_be_put_away_is_told_and_lands_once(
    house: FeedHouse, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "taken").write_text("a file in the way")
    (folder / "a.csv").write_bytes(content(("W1", 8, "1.50")))
    upload = put_upload(folder, "b.csv", ("W2", 8, "1.50"))
    assert ends(house) == [("loaded", None, 1)] * 2
    assert "a.csv is dealt with and stays where it is" in caplog.text
    assert ends(house) == [("unchanged", "not_modified", 1)]
    assert [code for code, *_ in temperatures(house)] == ["W1", "W2"]
    (folder / "taken").unlink()
    assert ends(house) == [("unchanged", "not_modified", 1)]
    assert (names(folder / "taken"), names(folder), upload.exists()) == (["a.csv", "b.csv"], [], False)


def test_a_name_that_leaves_no_room_for_the_stamp_is_cut(house: FeedHouse, folder: Path) -> None:
    for number, last in enumerate("甲乙"):  # alike as far as there is room
        (folder / ("数" * 82 + last + ".csv")).write_bytes(content((f"W{number}", 8, "1.50")))
    assert ends(house) == [("loaded", None, 1)] * 2
    assert names(folder) == []
    assert {(name[0], name[-5:]) for name in names(folder / "taken")} == {("数", "数.csv")}


def test_an_upload_beside_a_hidden_file_is_put_away(house: FeedHouse, folder: Path) -> None:
    upload = put_upload(folder, "a.csv", ("W1", 8, "1.50"))
    (upload.parent / ".DS_Store").write_bytes(b"x")
    (folder / "b.csv").write_bytes(content(("W2", 8, "1.50")))
    assert ends(house) == [("loaded", None, 1)] * 2
    assert names(folder / "taken") == ["a.csv", "b.csv"]
    assert ends(house) == [("unchanged", "not_modified", 1)]


def test_links_among_uploads_are_not_followed(house: FeedHouse, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    secret = tmp_path / "private" / "a.csv"
    secret.write_bytes(content(("W1", 8, "1.50")))
    (folder / "uploaded" / ("a" * 32)).mkdir(parents=True)
    (folder / "uploaded" / ("a" * 32) / "a.csv").symlink_to(secret)
    (folder / "uploaded" / ("b" * 32)).symlink_to(secret.parent)
    assert [reason for _, reason, _ in ends(house)] == ["not_found"]
    assert secret.exists()


def test_a_folder_whose_secret_is_missing_is_told(house: FeedHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECO_SECRET_DEPARTMENT_FOLDER")
    assert [reason for _, reason, _ in ends(house)] == ["secret_missing"]


def test_a_file_that_is_rewritten_while_it_is_read_does_not_land_cut(
    house: FeedHouse, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "a.csv"
    path.write_bytes(content(("W1", 8, "1.50")))
    keep = store.keep

    def rewritten_before(*given: Any) -> store.KeptBytes:
        path.write_bytes(content(("W1", 8, "1.75"), ("W1", 9, "2.50"))[:-25])
        return keep(*given)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(store, "keep", rewritten_before)
        assert ends(house) == [("loaded", None, 1)]
    assert temperatures(house) == [("W1", 8, "1.50")]
    path.write_bytes(content(("W1", 8, "1.75"), ("W1", 9, "2.50")))
    assert ends(house) == [("loaded", None, 2)]


def test_a_file_that_changes_while_it_is_copied_waits(
    house: FeedHouse, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "a.csv"
    path.write_bytes(content(("W1", 8, "1.50")))
    copyfile = shutil.copyfile

    def rewritten_after(*given: Any) -> Any:
        copied = copyfile(*given)
        path.write_bytes(content(("W1", 8, "1.75")))  # of the same size
        os.utime(path, (1, 1_800_000_000))
        return copied

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(shutil, "copyfile", rewritten_after)
        assert ends(house) == [("failed", "unfinished", 0)]
    assert ends(house) == [("loaded", None, 1)]
    assert temperatures(house) == [("W1", 8, "1.75")]


def test_a_file_that_is_taken_away_while_it_is_copied_is_nobodys_fault(
    house: FeedHouse, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "x.csv").write_bytes(content(("W1", 8, "1.50")))
    copy = shutil.copyfile

    def taken_before(source: Path, target: Path) -> Path:
        Path(source).unlink()
        return Path(copy(source, target))

    monkeypatch.setattr(shutil, "copyfile", taken_before)
    assert ends(house) == [("failed", "unfinished", 0)]


def test_a_folder_that_gave_something_is_not_made_anew(house: FeedHouse, folder: Path) -> None:
    (folder / "x.csv").write_bytes(content(("W1", 8, "1.50")))
    assert ends(house) == [("loaded", None, 1)]
    shutil.rmtree(folder)
    assert ends(house) == [("failed", "unreadable", 0)]
    assert not folder.exists()


def test_names_match_in_any_case_and_the_log_names_what_nobody_takes(
    house: FeedHouse, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "DATA.CSV").write_bytes(content(("W1", 8, "1.50")))
    for name in ("x.xlsx", ".hidden", "~$data.csv", "DATA.CSV.sha256", "b.csv.TMP"):
        (folder / name).write_bytes(b"x")
    assert ends(house) == [("loaded", None, 1)]
    [told] = [record.getMessage() for record in caplog.records if "no pattern" in record.getMessage()]
    assert told == "weather_hourly: 1 file(s) that match no pattern of this feed stay: x.xlsx"
