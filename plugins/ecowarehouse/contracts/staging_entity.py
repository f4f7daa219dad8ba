"""The staging view of a feed of entities, straight from its contract: what each received row says of its thing."""

from __future__ import annotations

from ecowarehouse.contracts.entity import CODE_JOINT, Day, EntityContract, EntityValue
from ecowarehouse.contracts.staging import escaped, moment_of_parts
from ecowarehouse.entities import EntityColumn

_VIEW = """\
-- One row is what one received row says of one thing. `damaged`: a cell of it stands in landing.reject, so it says only
-- that the thing is there.
select
    batch_id as content_batch_id,
    row_number,
    {code} as code,
    case when damage.damaged then null else {valid_from} end as valid_from,
    case when damage.damaged then null else {valid_to} end as valid_to,
    damage.damaged,
    case
        when not damage.damaged then jsonb_strip_nulls(jsonb_build_object(
            {content}
        ))
    end as content
from {relation}
cross join lateral (select rejected_columns is not null as damaged offset 0) as damage
"""
_OFFSET = r"(Z|[+-][0-9]{2}:[0-9]{2})$"
_TRUE = "('true', 'yes', '1', '是')"


def entity_sql(contract: EntityContract, relation: str) -> str:
    """The query of the view, reading `relation`."""
    pairs = [
        f"'{name}', {_value(contract, value, contract.declared.columns[name])}"
        for name, value in contract.values.items()
    ]
    return _VIEW.format(
        code=f" || '{CODE_JOINT}' || ".join(f"{_text(contract, column)}" for column in contract.key),
        valid_from=_day(contract, contract.valid.start, "-infinity"),
        valid_to=_day(contract, contract.valid.end, "infinity"),
        content=",\n            ".join(pairs),
        relation=relation,
    )


def _text(contract: EntityContract, column: str) -> str:
    """A trimmed cell, null where it is a mark of no value."""
    text = f"coalesce(\"{column}\", '')"
    if contract.trim:
        text = f"btrim({text}, {escaped(''.join(contract.trim))})"
    for mark in contract.missing_marks:
        text = f"nullif({text}, {escaped(mark)})"
    return text


def _day(contract: EntityContract, day: Day | None, otherwise: str) -> str:
    if day is None:
        return f"date '{otherwise}'"
    text = _text(contract, day.column)
    return f"coalesce({moment_of_parts(day.format, text)}::date, date '{otherwise}')"


def _value(contract: EntityContract, value: EntityValue, column: EntityColumn) -> str:
    text = _text(contract, value.column)
    if value.words:
        branches = " ".join(
            f"when {escaped(said)} then {escaped(word)}" for said, word in value.words.items()
        )
        text = f"case {text} {branches} else {text} end"
    match column.type:
        case "number":
            return f"trim_scale({text}::numeric)"
        case "integer":
            return f"{text}::integer"
        case "boolean":
            return f"lower({text}) in {_TRUE}"
        case "date":
            return f"{_moment(value, text)}::date"
        case "time":
            return f"""to_char({_moment(value, text)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
        case "geometry":
            return f"'SRID={str(value.crs).removeprefix('EPSG:')};' || {text}"
        case _:
            return text


def _moment(value: EntityValue, text: str) -> str:
    zone = f"at time zone '{value.timezone or 'UTC'}'"
    if value.format != "iso8601":
        return (
            f"({moment_of_parts(value.format, text)} {zone})"
            if value.timezone
            else moment_of_parts(value.format, text)
        )
    if value.timezone is None:
        return f"({text})::timestamp"
    return f"case when {text} ~ '{_OFFSET}' then ({text})::timestamptz else ({text})::timestamp {zone} end"
