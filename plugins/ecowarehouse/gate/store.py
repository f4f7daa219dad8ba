"""What the gate reads from and writes to the ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg

from ecowarehouse.decisions.covering import marked
from ecowarehouse.gate.verdicts import Verdict, Waiver
from ecowarehouse.marts import newest_build

if TYPE_CHECKING:
    from ecowarehouse.gate.suites import DatasetSuite

#: So many notices on single periods at once; above that one notice says how many and since when.
NOTICES_AT_ONCE = 20

_JUDGED = """
with judged as (
    select * from unnest(%(datasets)s::text[], %(periods)s::timestamptz[], %(verdicts)s::text[],
        %(states)s::text[], %(contents)s::text[]) as j(dataset, period_start, verdict, period_state, content)
)
"""
_NEWLY_BLOCKED = (
    _JUDGED
    + """
select j.dataset, j.period_start
from judged j left join governance.dataset_state b using (dataset, period_start)
where j.verdict = 'blocked' and b.state is distinct from 'blocked'
"""
).encode()
_STAND_NOW = (
    _JUDGED
    + """
update governance.dataset_state s set judged_build = %(build)s, refused = null, state = case
    when j.verdict = 'blocked' then 'blocked'
    when s.released_checksum is distinct from j.content then 'waiting'
    when j.period_state = 'open' then 'open'
    else 'released' end
from judged j where j.dataset = s.dataset and j.period_start = s.period_start
"""
).encode()
_STAND_FIRST = (
    _JUDGED
    + """
insert into governance.dataset_state (dataset, period_start, element, state, judged_build)
select dataset, period_start, %(element)s, case verdict when 'blocked' then verdict else 'waiting' end,
    %(build)s
from judged on conflict (dataset, period_start) do nothing
"""
).encode()


class GateError(RuntimeError):
    """The gate or the release was asked for something that makes no sense; the message says what."""


@dataclass(frozen=True, slots=True)
class Build:
    """One build as the ledger has it."""

    build_id: int
    element: str
    outcome: str
    known_at: datetime | None
    dbt_invocation: str | None
    code_version: str | None
    standards_hash: str | None


def read_build(conn: psycopg.Connection[Any], build_id: int) -> Build:
    """The build of this id.

    Raises:
        GateError: there is none.
    """
    row = conn.execute(
        "select build_id, element, outcome, known_at, dbt_invocation, code_version, standards_hash"
        " from governance.build where build_id = %s",
        [build_id],
    ).fetchone()
    if row is None:
        raise GateError(f"build {build_id} is not in governance.build")
    return Build(*row)


def require_built(conn: psycopg.Connection[Any], build: Build) -> bool:
    """Whether the build is the newest of its element; False if a newer one superseded it.

    Raises:
        GateError: it was never built.
    """
    if build.outcome != "built":
        raise GateError(f"build {build.build_id} of {build.element} is {build.outcome}, not built")
    return newest_build(conn, build.element) == build.build_id


def touched_periods(conn: psycopg.Connection[Any], build: Build) -> dict[str, set[datetime]]:
    """Periods by dataset that this build touched, or an earlier one whose gate never came to its end."""
    rows = conn.execute(
        """
        select distinct c.dataset, c.period_start
        from governance.build b
        join governance.candidate_period c using (build_id)
        where b.element = %(element)s and b.outcome = 'built' and b.build_id <= %(build)s
          and b.build_id > coalesce((
            select max(s.build_id) from governance.step s
            where s.kind = 'gate' and s.subject = %(element)s and s.build_id < %(build)s
              and s.outcome in ('done', 'blocked', 'nothing_to_do')), 0)
        """,
        {"element": build.element, "build": build.build_id},
    ).fetchall()
    return _by_dataset(rows)


def unresolved_periods(conn: psycopg.Connection[Any], element: str) -> dict[str, set[datetime]]:
    """Periods by dataset that are not finally released."""
    rows = conn.execute(
        "select dataset, period_start from governance.dataset_state"
        " where element = %s and state <> 'released'",
        [element],
    ).fetchall()
    return _by_dataset(rows)


def scope_periods(conn: psycopg.Connection[Any], build_id: int, grain: str, zone: str) -> set[datetime]:
    """Periods of a grain that the scope of a build meets, for a candidate that is not there to tell."""
    rows = conn.execute(
        """
        select distinct g at time zone %(zone)s
        from governance.build_scope s
        cross join generate_series(date_trunc(%(grain)s, s.period_from at time zone %(zone)s),
            (s.period_to at time zone %(zone)s) - interval '1 microsecond', ('1 ' || %(grain)s)::interval) g
        where s.build_id = %(build)s
        """,
        {"build": build_id, "grain": grain, "zone": zone},
    ).fetchall()
    return {row[0] for row in rows}


def recorded_checksums(
    conn: psycopg.Connection[Any], dataset: str, periods: Sequence[datetime], build_id: int
) -> dict[datetime, str]:
    """The checksum that the newest build (not after this one) recorded for each period."""
    rows = conn.execute(
        """
        select distinct on (c.period_start) c.period_start, c.checksum
        from governance.candidate_period c join governance.build b using (build_id)
        where c.dataset = %s and c.period_start = any(%s) and c.build_id <= %s and b.outcome = 'built'
        order by c.period_start, c.build_id desc
        """,
        [dataset, list(periods), build_id],
    ).fetchall()
    return dict(rows)


def valid_waivers(conn: psycopg.Connection[Any], dataset: str) -> list[Waiver]:
    """Waivers of a dataset that have neither run out nor been revoked, oldest first."""
    rows = conn.execute(
        "select waiver_id, period_from, period_to, expectation from decision.waiver_current"
        " where dataset = %s order by waiver_id",
        [dataset],
    ).fetchall()
    return [Waiver(*row) for row in rows]


def write_verdicts(
    conn: psycopg.Connection[Any], build: Build, step_id: int, verdicts: Sequence[Verdict]
) -> int:
    """Store the verdicts that say something new of this build; returns how many did."""
    before = _last_verdicts(conn, build.build_id, sorted({v.dataset for v in verdicts}))
    new = [v for v in verdicts if before.get((v.dataset, v.period_start)) != v.content]
    if not new:
        return 0
    with (
        conn.cursor() as cursor,
        cursor.copy(
            "copy governance.verdict (dataset, period_start, build_id, step_id, verdict, period_state,"
            " declared, evaluated, reason, figures, failed, waiver_id, suite_hash, checksum) from stdin"
        ) as copy,
    ):
        for v in new:
            copy.write_row(
                (v.dataset, v.period_start, build.build_id, step_id, v.verdict, v.period_state, v.declared,
                 v.evaluated, v.reason, json.dumps(v.figures), json.dumps(v.failed), v.waiver_id,
                 v.suite_hash, v.checksum)
            )  # fmt: skip
    return len(new)


def _last_verdicts(
    conn: psycopg.Connection[Any], build_id: int, datasets: list[str]
) -> Mapping[tuple[str, datetime], tuple[Any, ...]]:
    rows = conn.execute(
        "select dataset, period_start, verdict, period_state, reason, failed, suite_hash, checksum"
        " from governance.verdict_current where dataset = any(%s) and build_id = %s",
        [datasets, build_id],
    ).fetchall()
    return {
        (dataset, period): (
            word, state, reason, [(f["expectation"], f.get("waiver_id")) for f in failed], suite_hash,
            checksum,
        )
        for dataset, period, word, state, reason, failed, suite_hash, checksum in rows
    }  # fmt: skip


def write_states(
    conn: psycopg.Connection[Any],
    build: Build,
    verdicts: Sequence[Verdict],
    contents: Mapping[tuple[str, datetime], str],
) -> list[Verdict]:
    """Say where every judged period stands now; returns the verdicts by which a period became blocked.

    `contents` has what a release of each period would be (see `content_id`); what is published needs none.
    """
    parameters = {
        "datasets": [v.dataset for v in verdicts],
        "periods": [v.period_start for v in verdicts],
        "verdicts": [v.verdict for v in verdicts],
        "states": [v.period_state for v in verdicts],
        "contents": [contents.get((v.dataset, v.period_start), "") for v in verdicts],
        "element": build.element,
        "build": build.build_id,
    }
    rows = conn.execute(_NEWLY_BLOCKED, parameters).fetchall()
    conn.execute(_STAND_NOW, parameters)
    conn.execute(_STAND_FIRST, parameters)
    new = {(dataset, period) for dataset, period in rows}
    return [v for v in verdicts if (v.dataset, v.period_start) in new]


def write_notices(conn: psycopg.Connection[Any], newly_blocked: Sequence[Verdict]) -> None:
    """Tell people once of every period that became blocked; of a flood, once of the flood."""
    by_dataset: dict[str, list[Verdict]] = {}
    for verdict in newly_blocked:
        by_dataset.setdefault(verdict.dataset, []).append(verdict)
    for dataset, verdicts in by_dataset.items():
        if len(verdicts) <= NOTICES_AT_ONCE:
            notices = [(f"{dataset} {v.period_start.isoformat()}", v.reason) for v in verdicts]
        else:
            first, last = verdicts[0], verdicts[-1]
            reach = f"{first.period_start.isoformat()} to {last.period_start.isoformat()}"
            notices = [(f"{dataset} {reach}", f"{len(verdicts)} periods; the first: {first.reason}")]
        with conn.cursor() as cursor:
            cursor.executemany(
                "insert into governance.notice (kind, subject, message) values ('blocked', %s, %s)", notices
            )


def content_id(
    checksum: str, held_rows: float | None, suite: DatasetSuite | None, decided: str | None = None
) -> str:
    """What a release of a period consists of: the candidate, less what is held back, and the decisions over it."""
    if not held_rows or suite is None or suite.hold_rows is None:
        return marked(checksum, decided)
    held = hashlib.sha256(suite.hold_rows.when.encode()).hexdigest()[:16]
    return marked(f"{checksum}/held:{held}", decided)


def _by_dataset(rows: Sequence[tuple[Any, ...]]) -> dict[str, set[datetime]]:
    found: dict[str, set[datetime]] = {}
    for dataset, period in rows:
        found.setdefault(dataset, set()).add(period)
    return found


def unresolved_verdicts(conn: psycopg.Connection[Any], dataset: str | None) -> list[dict[str, Any]]:
    """Periods that are not finally released, blocked ones first, with the judgement that holds."""
    from psycopg.rows import dict_row

    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """
            select s.dataset, s.period_start, s.state, s.judged_build, v.verdict, v.period_state,
                coalesce(s.refused, v.reason) as reason
            from governance.dataset_state s
            left join lateral (
                select * from governance.verdict v
                where v.dataset = s.dataset and v.period_start = s.period_start
                  and v.build_id = s.judged_build
                order by v.verdict_id desc limit 1
            ) v on true
            where s.state <> 'released' and (%(dataset)s::text is null or s.dataset = %(dataset)s)
            order by s.state, s.dataset, s.period_start
            """,
            {"dataset": dataset},
        ).fetchall()
