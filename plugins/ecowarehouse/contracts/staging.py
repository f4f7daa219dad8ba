"""The staging views of a feed, from its contract: cast, unpivot, sentinel to missing, label to period."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from ecowarehouse.contracts.model import Contract
from ecowarehouse.contracts.observations import ObservationContract
from ecowarehouse.contracts.reserved import named
from ecowarehouse.contracts.shape import Long
from ecowarehouse.contracts.site import CODE_JOINT
from ecowarehouse.contracts.values import NotMeasured, factors_of

_HEAD = """\
-- Written from the contract by `eco source staging {feed} --write`: change the contract.
"""
_LONGEST_LINE = 130  # of pyproject.toml
_LONG_LINES = "-- noqa: disable=LT05\n"  # a contract may name marks and formats as long as it likes
# A rejected cell says that something was sent which nobody can read, and neither a value nor that there is none: were
# it a sighting, `1O` would put a null in the place of a good value (docs/adr/0008-a-rejected-cell-is-no-sighting.md).
_CELLS = """\
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
{received}
)

select
    received.content_batch_id,
    received.row_number,
    received.site_code,
    cell.channel,
    received.period_start,
    case
        when not cell.is_number or cell.text in ({marks}) then null
        when received.rejected_columns is null or {column} <> all(received.rejected_columns)
            then {number}
    end as value,
    case when not cell.is_number and cell.text not in ({marks}) then cell.text end as value_text,
    {qualifier} as qualifier,
    {limit} as detection_limit,
    {mark} as source_mark
from received
{cells}
{said}where (received.rejected_columns is null or {column} <> all(received.rejected_columns))
{ending}"""
_WIDE = """\
cross join lateral (
    values
{cells}
) as cell ({names})"""
# A value's channel by the source's code, and its factor by the unit beside it.
_LONG = """\
cross join lateral (
    select kind.channel, {value} as text, {columns}
    from (
        values
{cells}
    ) as kind ({names})
    where {meant}
) as cell"""
_SAID = """\
cross join lateral (
    select
        {said}
) as said
"""
NOT_MEASURED: Final = "not_measured"  # the house's own word for what a mark means; the books know it
_HALF = "substituted_half_limit"  # the source's own way to say `below`: its number is half of the limit
_SITES = """\
-- One row is what one received row says of its site.
with said as (
    select
        {said}
    from {source}
)

select
    content_batch_id,
    row_number,
    site_code,
    period_start,
    site_name,
    area_name,
    case when longitude ~ '{number}' then longitude::numeric end as longitude,
    case when latitude ~ '{number}' then latitude::numeric end as latitude,
    attributes
from said
"""
_NUMBER = r"^[+-]?[0-9]{1,3}(\.[0-9]{1,20})?$"
_PLAIN_NUMBER = r"^[0-9]{1,30}(\.[0-9]{0,30})?$"
_ISO_FORMATS = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"}
_PARTS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}


def staging_files(contract: Contract, dbt_project: Path) -> dict[Path, str]:
    """What stands under `models/staging/<feed>/`: path and text of every file; nothing for entities, whose view the
    deployment makes straight from the contract.
    """
    if not isinstance(contract, ObservationContract):
        return {}
    folder = dbt_project / "models" / "staging" / contract.feed
    return {
        folder / f"stg_{contract.feed}.sql": cells_sql(contract),
        folder / f"stg_{contract.feed}__site.sql": site_sql(contract),
        folder / f"_{contract.feed}.yml": models_yaml(contract),
    }


def differences(contract: Contract, dbt_project: Path) -> list[str]:
    """Files that are missing or not what the contract says, in words."""
    found = []
    for path, text in staging_files(contract, dbt_project).items():
        shown = path.relative_to(dbt_project.parent)
        mend = f"run `eco source staging {contract.feed} --write`"
        if not path.exists():
            found.append(f"{shown}: is missing; {mend}")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"{shown}: is not what the contract says; {mend}")
    return found


def cells_sql(contract: ObservationContract, relation: str | None = None) -> str:
    """The view with one row a cell; `relation` replaces the dbt source, for use without dbt."""
    marks = ", ".join(escaped(mark) for mark in contract.missing_marks)
    cells = _wide(contract) if contract.long is None else _long(contract, contract.long)
    return _headed(
        contract,
        _CELLS.format(
            received=_received(contract, relation),
            cells=cells.sql,
            marks=marks,
            column="cell.channel" if contract.long is None else f"'{contract.long.value}'",
            ending="    and cell.text is not null\n" if contract.optional else "",
            **_meaning(contract, marks, scaled="factor" in cells.given, halved="method_limit" in cells.given),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """SQL that gives `cell` of each received row, and which of factor and limit it gives beside channel and text."""

    sql: str
    given: tuple[str, ...]


def _wide(contract: ObservationContract) -> _Cells:
    """A cell of each column that carries values."""
    columns = {
        "factor": _numbers(contract, "factor", 1),
        "method_limit": _numbers(contract, "detection_limit", None),
    }
    given = {name: values for name, values in columns.items() if values}
    cells = ",\n".join(
        "        ("
        + ", ".join(
            [f"'{name}'", _text(contract, name), str(channel.kind == "number").lower()]
            + [values[name] for values in given.values()]
        )
        + ")"
        for name, channel in contract.channels.items()
    )
    names = ", ".join(["channel", "text", "is_number", *given])
    return _Cells(_WIDE.format(cells=cells, names=names), tuple(given))


def _long(contract: ObservationContract, long: Long) -> _Cells:
    """The one cell of a row, of the channel that has its code."""
    rows = []
    for name, channel in contract.channels.items():
        limit = "null::numeric" if channel.detection_limit is None else f"{channel.detection_limit}"
        for code in contract.codes_of(name):
            for unit, factor in factors_of(channel).items():
                texts = [escaped(code), *([escaped(unit)] if long.unit else []), f"'{name}'"]
                numbers = [str(channel.kind == "number").lower(), str(factor), limit]
                rows.append(f"            ({', '.join([*texts, *numbers])})")
                if long.unit is None:
                    break
    meant = [f"kind.code = {_key(contract, 'received.' + long.channel)}"]
    if long.unit:
        meant.append(f"kind.unit = translate({_trimmed(contract, 'received.' + long.unit)}, 'µμ³²', 'uu32')")
    return _Cells(
        _LONG.format(
            value=_trimmed(contract, f"received.{long.value}"),
            columns="kind.is_number, kind.factor, kind.method_limit",
            cells=",\n".join(rows),
            names=", ".join(
                ["code", *(["unit"] if long.unit else []), "channel", "is_number", "factor", "method_limit"]
            ),
            meant="\n        and ".join(meant),
        ),
        ("factor", "method_limit"),
    )


def site_sql(contract: ObservationContract, relation: str | None = None) -> str:
    """The view with what each received row says of its site."""
    site = contract.site
    said = [
        "batch_id as content_batch_id",
        "row_number",
        f"{_site_code(contract)} as site_code",
        f"{_period_start(contract)} as period_start",
        f"{_text_or_null(contract, site.name)} as site_name",
        f"{_text_or_null(contract, site.area)} as area_name",
        f"{_text_or_null(contract, site.longitude)} as longitude",
        f"{_text_or_null(contract, site.latitude)} as latitude",
        f"{_attributes(contract)} as attributes",
    ]
    return _headed(
        contract,
        _SITES.format(said=",\n        ".join(said), source=_source(contract, relation), number=_NUMBER),
    )


def _headed(contract: ObservationContract, body: str) -> str:
    """With where it comes from."""
    long = any(len(line) > _LONGEST_LINE for line in body.splitlines())
    return _HEAD.format(feed=contract.feed) + (_LONG_LINES if long else "") + body


def _numbers(contract: ObservationContract, field: str, usual: object) -> dict[str, str]:
    """SQL of a channel's number, by channel; nothing when all are as usual."""
    found = {name: getattr(channel, field) for name, channel in contract.channels.items()}
    if all(value == usual for value in found.values()):
        return {}
    if field == "detection_limit":
        return {n: "null::numeric" if v is None else f"{v}" for n, v in found.items()}
    return {name: str(value) for name, value in found.items()}


def _meaning(contract: ObservationContract, marks: str, *, scaled: bool, halved: bool) -> dict[str, str]:
    """SQL of a cell's number, qualifier, limit and mark, by what the contract says of values below a limit."""
    factor = " * cell.factor" if scaled else ""
    number = f"cell.text::numeric{factor}"
    mark = f"when cell.text <> '' and cell.text in ({marks}) then cell.text"
    if contract.not_measured is not None:
        means = _is_not_measured(contract, contract.not_measured)
        mark = f"when {means}\n            then '{NOT_MEASURED}'\n        {mark}"
    said, below, limit = [], [], []
    censored = contract.censored
    if censored.pattern is not None:
        said.append(f"cell.is_number and cell.text ~ {escaped(censored.pattern)} as names_limit")
        number = (
            f"btrim(cell.text, {escaped(''.join((*censored.prefixes, *censored.suffixes)))})::numeric{factor}"
        )
        below.append("when said.names_limit then '<'")
        limit.append(f"when said.names_limit then {number}")
    if censored.not_detected:
        words = ", ".join(escaped(word) for word in censored.not_detected)
        said.append(f"cell.is_number and cell.text in ({words}) as is_not_detected")
        below.append("when said.is_not_detected then 'nd'")
        number = f"case when not said.is_not_detected then {number} end"
    if halved:
        # The cast waits for its condition only inside of a CASE.
        said.append(
            f"case\n            when cell.is_number and cell.text ~ '{_PLAIN_NUMBER}'"
            "\n                then 2 * cell.text::numeric = cell.method_limit\n        end as is_half_limit"
        )
        below.append("when said.is_half_limit then '<'")
        limit.append(f"when said.is_half_limit then cell.method_limit{factor}")
        mark += f"\n        when said.is_half_limit then '{_HALF}'"
    return {
        "number": number,
        "qualifier": _case(below, "'='::text"),
        "limit": _case(limit, "null::numeric"),
        "mark": f"case {mark} end" if "\n" not in mark else f"case\n        {mark}\n    end",
        "said": _SAID.format(said=",\n        ".join(said)) if said else "",
    }


def _is_not_measured(contract: ObservationContract, rule: NotMeasured) -> str:
    held = {"cell.text": rule.marks, "cell.channel": rule.channels}
    if rule.column is not None:
        held[_trimmed(contract, f"received.{rule.column}")] = rule.says
    return "\n            and ".join(
        f"{what} in ({', '.join(map(escaped, texts))})" for what, texts in held.items() if texts
    )


def _case(branches: list[str], otherwise: str) -> str:
    if not branches:
        return otherwise
    lines = "".join(f"        {branch}\n" for branch in branches)
    return f"case\n{lines}        else {otherwise}\n    end"


def models_yaml(contract: ObservationContract) -> str:
    """Source and models for dbt."""
    feed = contract.feed
    return f"""\
# Written from the contract by `eco source staging {feed} --write`: change the contract.
version: 2

sources:
  - name: landing
    schema: landing
    tables:
      - name: {feed}
        description: "{contract.title.en}, rows as received · {contract.title.zh}"

models:
  - name: stg_{feed}
    description: "One row is one cell of one received row of {feed} · {contract.title.zh}"
  - name: stg_{feed}__site
    description: "One row is what one received row of {feed} says of its site · {contract.title.zh}"
"""


def _received(contract: ObservationContract, relation: str | None) -> str:
    told = contract.channels if contract.long is None else contract.long.columns
    columns = [
        "batch_id as content_batch_id",
        "row_number",
        "rejected_columns",
        "placed.site_code",
        "placed.period_start",
        *map(named, dict.fromkeys((*told, *contract.told_beside))),
    ]
    return (
        "    select\n        " + ",\n        ".join(columns) + f"\n    from {_source(contract, relation)}"
        "\n    -- `offset 0` keeps these two from being worked out anew for every cell."
        "\n    cross join lateral (\n        select"
        f"\n            {_site_code(contract)} as site_code,"
        f"\n            {_period_start(contract)} as period_start"
        "\n        offset 0\n    ) as placed"
    )


def _source(contract: ObservationContract, relation: str | None) -> str:
    return relation or f"{{{{ source('landing', '{contract.feed}') }}}}"


def _trimmed(contract: ObservationContract, column: str) -> str:
    text = f"coalesce({named(column)}, '')"
    return f"btrim({text}, {escaped(''.join(contract.trim))})" if contract.trim else text


def _text(contract: ObservationContract, column: str) -> str:
    """A cell; null when a content lacks its column."""
    if column not in contract.optional:
        return _trimmed(contract, column)
    return f"btrim({named(column)}, {escaped(''.join(contract.trim))})" if contract.trim else named(column)


def _site_code(contract: ObservationContract) -> str:
    return f" || '{CODE_JOINT}' || ".join(_key(contract, column) for column in contract.site.code_columns)


def _attributes(contract: ObservationContract) -> str:
    """What the source says of a site beside name and place, as an object; what it leaves empty is not in it."""
    said = contract.site.attributes
    if not said:
        return "'{}'::jsonb"
    pairs = ",\n            ".join(
        f"'{name}', {_text_or_null(contract, column)}" for name, column in said.items()
    )
    return f"jsonb_strip_nulls(jsonb_build_object(\n            {pairs}\n        ))"


def _key(contract: ObservationContract, column: str) -> str:
    """A column of the key, which the landing check leaves empty in no row."""
    return f"btrim({named(column)}, {escaped(''.join(contract.trim))})" if contract.trim else named(column)


def _text_or_null(contract: ObservationContract, column: str | None) -> str:
    return f"nullif({_trimmed(contract, column)}, '')" if column else "null::text"


def escaped(text: str) -> str:
    """A literal in which every character can be seen."""
    if all(" " <= c <= "~" or c.isprintable() for c in text):
        return "'" + text.replace("'", "''") + "'"
    shown = "".join(c if " " <= c <= "~" else f"\\u{ord(c):04x}" for c in text.replace("\\", "\\\\"))
    return "e'" + shown.replace("'", "''") + "'"


def _period_start(contract: ObservationContract) -> str:
    period = contract.period
    label = _key(contract, period.column)
    zone = f"at time zone '{period.timezone}'"
    if period.format == "iso8601":
        offset = r"(Z|[+-][0-9]{2}:[0-9]{2})$"
        moment = (
            f"case\n            when {label} ~ '{offset}'\n                then {label}::timestamptz"
            f"\n            else {label}::timestamp {zone}\n        end"
        )
    elif period.format in _ISO_FORMATS:
        moment = f"({label}::timestamp {zone})"
    else:
        moment = f"({moment_of_parts(period.format, label)} {zone})"
    shift = f"\n        - interval '{_interval(period.averaging)}'" if period.label == "end" else ""
    return f"{moment}{shift}"


def moment_of_parts(time_format: str, label: str) -> str:
    """A timestamp of the parts of a label, whose places the format fixes."""
    places: dict[str, int] = {}
    place = 1
    for token in re.findall(r"%.|[^%]", time_format):
        if token.startswith("%"):
            places[token[1]] = place
        place += _PARTS[token[1]] if token.startswith("%") else 1
    parts = [
        f"substr({label}, {places[part]}, {_PARTS[part]})::integer" if part in places else default
        for part, default in (("Y", "1"), ("m", "1"), ("d", "1"), ("H", "0"), ("M", "0"), ("S", "0"))
    ]
    return f"make_timestamp({', '.join(parts)})"


def _interval(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds % size == 0:
            return f"{seconds // size} {unit}{'s' if seconds > size else ''}"
    return f"{seconds} seconds"
