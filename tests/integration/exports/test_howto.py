"""The how-to's own snippets run: pandas and a workbook as they stand there, DuckDB with its extension from a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_httpfs
import openpyxl
import pandas as pd
import pytest

from tests.integration.exports.export_house import ExportHouse

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "read-exports.md"


def _snippets(language: str, address: str, house: ExportHouse) -> list[str]:
    files = house.folder().glob("files/2019-07.*.parquet")
    text = PAGE.read_text(encoding="utf-8").replace("https://data.example/open", address)
    text = text.replace("files/2019-07.….parquet", f"files/{next(files).name}")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_snippets_of_pandas_and_of_excel(
    address: str, house: ExportHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {}
    parquet, csv, workbook = _snippets("python", address, house)
    exec(parquet, known)
    assert len(known["frame"]) == 78
    assert str(known["frame"]["so2"].dtype) == "decimal128(38, 3)[pyarrow]"
    exec(csv, known)
    assert len(known["frame"]) == 72
    assert isinstance(known["frame"]["period_start"].dtype, pd.DatetimeTZDtype)
    assert known["frame"]["so2"].iloc[0] == 12
    exec(workbook, known)
    [sheet] = openpyxl.load_workbook(tmp_path / "2019-07.xlsx").worksheets
    assert sheet.title == "local time Asia Shanghai"
    names, first, *rest = sheet.iter_rows(values_only=True)
    cells = dict(zip(names, first, strict=True))
    assert len(rest) == 71
    assert (cells["station_code"], cells["so2"], cells["area_name"]) == ("S1", 12, "贵港市")
    assert cells["period_start"] == known["frame"]["period_start"].iloc[0].tz_convert(
        "Asia/Shanghai"
    ).replace(tzinfo=None)
    assert isinstance(cells["synthetic"], bool)


def test_the_snippets_of_duckdb(address: str, house: ExportHouse) -> None:
    [extension] = Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
    connection = duckdb.connect()
    connection.execute(f"load '{extension}'")
    means, facts = _snippets("sql", address, house)
    query = means.replace("install httpfs;", "").replace("load httpfs;", "")
    assert connection.execute(query).fetchall() == [(code, 8.0) for code in ("S1", "S2", "S3")]
    said = connection.execute(facts).fetchone()
    assert said is not None
    assert '"note": {"zh": "未经审核，仅供参考"' in said[0]
