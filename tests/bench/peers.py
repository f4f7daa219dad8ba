"""The same rows by dlt and by pandas, which neither keep bytes nor check, judge or know versions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from ecowarehouse.postgres.connection import sqlalchemy_url
from tests.bench.house import House, timed
from tests.bench.load import KEY as KEYED
from tests.bench.load import Load
from tests.bench.report import Report

MOST = 500_000
KEY = ["series_id", "period_start", "known_at"]


def run(house: House, report: Report, load: Load) -> None:
    """Both, on at most `MOST` of the rows, beside a COPY of the same rows: larger is slower."""
    rows = _rows(load.copied, house.files / "peers.tsv")
    for name, work in (("dlt, merge", _dlt), ("pandas.to_sql, chunks of 10,000", _pandas)):
        database = house.fresh("bench_peers")
        house.settle()
        with house.admin("postgres") as conn:  # a plain database: nothing of ours stands in their way
            conn.execute(f"alter database {database} reset all".encode())
        os.environ["ECO_DATABASE"] = database
        url = sqlalchemy_url(admin=True)
        del os.environ["ECO_DATABASE"]
        seconds = work(rows, url, house.files)
        # Right after, for the machine may have other work too.
        copied = load.copy(house.files / "peers.tsv", KEYED)
        ours = next(line.figure for line in report.lines if line.what == "eco load")
        compared = (
            f"COPY of {len(rows):,} rows in {copied:.2f} s; {name} takes {seconds:.1f} s, without imports"
        )
        report.add(f"  {name}", seconds / copied, "×", compared)
        compared = "its ratio to a COPY of the same rows"
        report.add(f"eco load beside {name}", ours / (seconds / copied), "×", compared, at_most=1)


def _rows(source: Path, part: Path) -> pa.Table:
    with source.open("rb") as whole, part.open("wb") as file:
        for _, line in zip(range(MOST), whole, strict=False):
            file.write(line)
    names = [*KEY, "value"]
    types = {"series_id": pa.int32(), "value": pa.decimal128(12, 4)}
    types |= {name: pa.string() for name in KEY[1:]}
    table = arrow_csv.read_csv(
        part,
        arrow_csv.ReadOptions(column_names=names),
        arrow_csv.ParseOptions(delimiter="\t"),
        arrow_csv.ConvertOptions(column_types=types, null_values=["\\N"]),
    )
    for place, name in enumerate(KEY[1:], start=1):
        table = table.set_column(place, name, table[name].cast(pa.timestamp("us", tz="UTC")))
    return table


def _dlt(rows: pa.Table, url: str, folder: Path) -> float:
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}
    import dlt

    address = url.replace("postgresql+psycopg", "postgresql")
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=str(folder / "dlt"),
        destination=dlt.destinations.postgres(address),
        dataset_name="peer",
    )
    resource: Any = dlt.resource([rows], name="observation", primary_key=KEY, write_disposition="merge")
    return timed(lambda: pipeline.run(resource).raise_on_failed_jobs())


def _pandas(rows: pa.Table, url: str, folder: Path) -> float:
    from sqlalchemy import create_engine, text

    engine = create_engine(url)
    with engine.begin() as conn:
        conn.execute(
            text(
                "create table peer (series_id int, period_start timestamptz, known_at timestamptz, value numeric,"
                " primary key (series_id, period_start, known_at))"
            )
        )
    frame = rows.set_column(3, "value", rows["value"].cast(pa.float64())).to_pandas()
    try:
        return timed(lambda: frame.to_sql("peer", engine, if_exists="append", index=False, chunksize=10_000))
    finally:
        engine.dispose()
