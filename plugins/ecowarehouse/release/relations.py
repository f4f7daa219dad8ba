"""What readers see: `published.*` with history, and the views `shared.*` and `open.*` on it, made on demand.

Nothing readable points at a table that dbt owns: dbt drops those with CASCADE.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psycopg

from ecowarehouse.checksum import NOT_CONTENT, identifier, literal, relation_name
from ecowarehouse.postgres.catalog import Column, column_names, columns_of

if TYPE_CHECKING:
    from ecowarehouse.datasets import Dataset

logger = logging.getLogger(__name__)

INTERNAL_READERS = ("eco_department", "eco_engineer", "eco_gate", "eco_auditor")


class RelationError(RuntimeError):
    """A candidate's columns cannot follow those already published; the message names them and the mend."""


def table_name(dataset: Dataset) -> str:
    """The name of a dataset's relations in `published`, `shared` and `open`."""
    return dataset.dataset.replace(".", "_")


def published_name(dataset: Dataset) -> str:
    """Schema and table of the history, quoted."""
    return relation_name(f"published.{table_name(dataset)}")


def retracted_name(dataset: Dataset) -> str:
    """Schema and table of the rows that were retracted, quoted."""
    return relation_name(f"published.{table_name(dataset)}__retracted")


def has_retracted(conn: psycopg.Connection[Any], dataset: Dataset) -> bool:
    """Whether a row of the dataset was ever retracted."""
    return bool(columns_of(conn, f"published.{table_name(dataset)}__retracted"))


def history_columns(conn: psycopg.Connection[Any], dataset: Dataset) -> list[str]:
    """The content columns of the history's table, in its order."""
    found = columns_of(conn, f"published.{table_name(dataset)}")
    return [column.name for column in found if column.name not in NOT_CONTENT]


def ensure_retracted(conn: psycopg.Connection[Any], dataset: Dataset) -> None:
    """Make or widen the table of retracted rows, which auditors alone read; the views then show it to them.

    Row security binds the owner and those who read all tables; a release sees the rows only while it moves them.
    """
    bare = f"published.{table_name(dataset)}__retracted"
    kept, apart = {c.name for c in columns_of(conn, bare)}, retracted_name(dataset)
    history = columns_of(conn, f"published.{table_name(dataset)}")
    if kept:
        for column in history:
            if column.name not in kept:
                _run(conn, f"alter table {apart} add column {identifier(column.name)} {column.type}")
        return
    meaning = (
        f"One row is a row of {dataset.dataset} that was retracted; only auditors read it · 已撤回的发布记录"
    )
    may_see = (
        "pg_has_role(current_user, 'eco_auditor', 'usage')"
        " or current_user = 'eco_release' and current_setting('eco.withdrawing', true) = 'on'"
    )
    for statement in (
        f"create table {apart} (like {published_name(dataset)} including comments)",
        f"create index on {apart} ({identifier(dataset.period_column)})",
        f"alter table {apart} enable row level security",
        f"alter table {apart} force row level security",
        f"create policy auditors on {apart} using ({may_see}) with check (current_user = 'eco_release')",
        f"grant select on {apart} to eco_auditor",
        f"comment on table {apart} is {literal(meaning)}",
    ):
        _run(conn, statement)
    _make_views_again(conn, dataset, history)


def _make_views_again(conn: psycopg.Connection[Any], dataset: Dataset, history: Sequence[Column]) -> None:
    comments = {column.name: column.comment for column in columns_of(conn, f"shared.{table_name(dataset)}")}
    columns = [Column(c.name, c.type, comments.get(c.name)) for c in history if c.name not in NOT_CONTENT]
    _view_shared(conn, dataset, columns)
    _view_open(conn, dataset, columns)


def ensure(conn: psycopg.Connection[Any], dataset: Dataset) -> list[str]:
    """Make or widen the dataset's relations; returns the content columns in the order of the history's table.

    Raises:
        RelationError: the candidate lost a column, changed a type, or its key lacks the period column.
    """
    candidate = [c for c in columns_of(conn, dataset.relation) if c.name not in NOT_CONTENT]
    _check_key(dataset, {column.name for column in candidate})
    present = columns_of(conn, f"published.{table_name(dataset)}")
    if not present:
        _create(conn, dataset, candidate)
        _view_shared(conn, dataset, candidate)
        _view_open(conn, dataset, candidate)
        return [column.name for column in candidate]
    added = _added(dataset, candidate, present)
    for column in added:
        _run(
            conn, f"alter table {published_name(dataset)} add column {identifier(column.name)} {column.type}"
        )
    if added and has_retracted(conn, dataset):
        ensure_retracted(conn, dataset)
    ordered = [c for c in present if c.name not in NOT_CONTENT] + added
    by_name = {column.name: column for column in candidate}
    _refresh_views(conn, dataset, [by_name[column.name] for column in ordered], bool(added))
    return [column.name for column in ordered]


def is_open(dataset: Dataset) -> bool:
    """Whether the dataset's publishing says that the public may have it."""
    return dataset.publishing.open


def _check_key(dataset: Dataset, columns: set[str]) -> None:
    if missing := [name for name in dataset.key if name not in columns]:
        raise RelationError(
            f"{dataset.dataset}: key column {', '.join(missing)} is not in {dataset.relation}"
        )
    if dataset.period_column not in dataset.key:
        raise RelationError(f"{dataset.dataset}: the key needs the period column {dataset.period_column}")


def _added(dataset: Dataset, candidate: Sequence[Column], present: Sequence[Column]) -> list[Column]:
    known = {column.name: column for column in present}
    names = {column.name for column in candidate}
    if lost := [name for name in known if name not in names and name not in NOT_CONTENT]:
        raise RelationError(
            f"{dataset.relation} lost {', '.join(lost)}, which {dataset.dataset} has published."
            " Mend: keep the column (null from now on), or a numbered migration of the published table"
        )
    changed = [c for c in candidate if c.name in known and known[c.name].type != c.type]
    if changed:
        told = ", ".join(f"{c.name} from {known[c.name].type} to {c.type}" for c in changed)
        raise RelationError(
            f"{dataset.relation} changed {told}. Mend: keep the type, or a numbered migration"
        )
    return [column for column in candidate if column.name not in known]


def _create(conn: psycopg.Connection[Any], dataset: Dataset, columns: Sequence[Column]) -> None:
    table, bare = published_name(dataset), table_name(dataset)
    key = ", ".join(identifier(name) for name in dataset.key)
    body = ", ".join(
        f"{identifier(c.name)} {c.type}{' not null' if c.name in dataset.key else ''}" for c in columns
    )
    _run(
        conn,
        f"create table {table} ({body}, release_from bigint not null, release_to bigint,"
        f" primary key ({key}, release_from))",
    )
    _run(
        conn, f"create unique index {identifier(bare + '_holds')} on {table} ({key}) where release_to is null"
    )
    _run(
        conn, f"create index {identifier(bare + '_period')} on {table} ({identifier(dataset.period_column)})"
    )
    _run(conn, f"grant select on {table} to eco_gate, eco_engineer, eco_auditor")
    meaning = f"One row is a row of {dataset.dataset}, readable from release_from until release_to · 发布历史"
    _run(conn, f"comment on table {table} is {literal(meaning)}")


def _refresh_views(
    conn: psycopg.Connection[Any], dataset: Dataset, columns: Sequence[Column], widened: bool
) -> None:
    """Views are made again only if something of them changed: readers would wait for the lock."""
    shared = columns_of(conn, f"shared.{table_name(dataset)}")
    if widened or not shared or _comments(shared) != {**_comments(columns), "released_at": _RELEASED_AT}:
        _view_shared(conn, dataset, columns)
    public = columns_of(conn, f"open.{table_name(dataset)}")
    wanted = set(_open_columns(dataset, columns)) | {"released_at"} if is_open(dataset) else set()
    if {column.name for column in public} != wanted:
        _view_open(conn, dataset, columns)


_RELEASED_AT = "when this row became readable · 发布时间"


def _comments(columns: Sequence[Column]) -> dict[str, str | None]:
    return {column.name: column.comment for column in columns}


def _view_shared(conn: psycopg.Connection[Any], dataset: Dataset, columns: Sequence[Column]) -> None:
    bare = f"shared.{table_name(dataset)}"
    view = relation_name(bare)
    _view(conn, dataset, bare, columns)
    _run(conn, f"grant select on {view} to {', '.join(INTERNAL_READERS)}")


def _view_open(conn: psycopg.Connection[Any], dataset: Dataset, columns: Sequence[Column]) -> None:
    bare = f"open.{table_name(dataset)}"
    view = relation_name(bare)
    if not is_open(dataset):
        _run(conn, f"drop view if exists {view}")
        return
    names = _open_columns(dataset, columns)
    _view(conn, dataset, bare, [column for column in columns if column.name in names])
    _run(conn, f"grant select on {view} to {', '.join(INTERNAL_READERS)}, eco_public")


def _open_columns(dataset: Dataset, columns: Sequence[Column]) -> list[str]:
    known = [column.name for column in columns]
    if unknown := [name for name in dataset.open_columns if name not in known]:
        raise RelationError(
            f"{dataset.dataset}: open column {', '.join(unknown)} is not in {dataset.relation}"
        )
    if not dataset.open_columns:
        raise RelationError(f"{dataset.dataset} is open but names no open columns; they are opt-in")
    return [name for name in known if name in dataset.open_columns]


def _view(conn: psycopg.Connection[Any], dataset: Dataset, bare: str, columns: Sequence[Column]) -> None:
    """What holds; with `eco.as_of` set, what held by the newest release that knew no more than that moment.

    The two branches exclude each other by a test that does not depend on rows, so that only one is executed.
    A view that only gains columns is replaced in its place: it keeps its grants and what depends on it.
    """
    view = relation_name(bare)
    there = column_names(conn, bare)
    wanted = [*(column.name for column in columns), "released_at"]
    if lost := [name for name in there if name not in wanted]:
        logger.info("%s loses %s and is made anew", view, ", ".join(lost))
        _run(conn, f"drop view {view}")
        there = []
    names = there + [name for name in wanted if name not in there]
    chosen = ", ".join(
        "r.released_at" if name == "released_at" else f"p.{identifier(name)}" for name in names
    )
    source = "from {} p left join governance.release r on r.release_id = p.release_from"
    held = source.format(published_name(dataset))
    apart = ""
    then = (
        f"(select max(release_id) from governance.release where element = {literal(dataset.element)}"
        " and known_at <= core.as_of())"
    )
    by_then = (
        f"core.as_of() < 'infinity' and p.release_from <= {then}"
        f" and (p.release_to is null or p.release_to > {then})"
    )
    if has_retracted(conn, dataset):
        auditor = "pg_has_role(current_user, 'eco_auditor', 'usage')"
        apart = f" union all select {chosen} {source.format(retracted_name(dataset))} where {auditor} and {by_then}"
    _run(
        conn,
        f"create or replace view {view} as select {chosen} {held}"
        " where p.release_to is null and core.as_of() = 'infinity'"
        f" union all select {chosen} {held} where {by_then}{apart}",
    )
    for column in columns:
        if column.comment:
            _run(conn, f"comment on column {view}.{identifier(column.name)} is {literal(column.comment)}")
    _run(conn, f"comment on column {view}.released_at is {literal(_RELEASED_AT)}")
    _comment_view(conn, dataset, view)


def _comment_view(conn: psycopg.Connection[Any], dataset: Dataset, view: str) -> None:
    row = conn.execute(
        "select obj_description(to_regclass(%s), 'pg_class')", [relation_name(dataset.relation)]
    )
    comment = (row.fetchone() or (None,))[0]
    if comment:
        _run(conn, f"comment on view {view} is {literal(comment)}")


def _run(conn: psycopg.Connection[Any], statement: str) -> None:
    conn.execute(statement.encode())
