"""Parts of a contract as YAML, each question that an answer leaves open beside the line that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml

from ecowarehouse.contracts.observations import ObservationContract
from ecowarehouse.contracts.open_questions import MARK
from ecowarehouse.contracts.proposal.answer import Answer
from ecowarehouse.contracts.proposal.cells import Marks, marks_in
from ecowarehouse.contracts.proposal.columns import Columns, columns_of
from ecowarehouse.contracts.proposal.meaning import Meaning, Vocabulary
from ecowarehouse.contracts.proposal.times import duration, is_moment_with_offset, step_of, usual_step
from ecowarehouse.contracts.values import Channel

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Proposal:
    """Texts for the fields of a contract, without their names."""

    known_at: str
    site: str
    period: str
    key: str
    forms: str
    header: str
    sentinels: str
    channels: str


def propose(
    answer: Answer, vocabulary: Vocabulary, sisters: Sequence[ObservationContract], timezone: str
) -> Proposal:
    """What an answer shows of its contract. `sisters` are the element's other contracts, whose ways are taken over.

    Raises:
        NoProposal: as `columns_of`.
    """
    columns = columns_of(answer, vocabulary)
    names = columns.names
    code = names[columns.places["code"]]
    step = step_of(answer.cells(columns.places["code"]), answer.cells(columns.label), columns.time_format)
    averaging = step or usual_step(columns.time_format)
    return Proposal(
        known_at=_known_at(answer),
        site=_site(columns, sisters),
        period=_period(columns, averaging, timezone, guessed=step is None),
        key=_flow([code, names[columns.label]]),
        forms=_forms(answer, columns),
        header=_header([names[heading] for heading in answer.names]),
        sentinels=_marks(
            marks_in(c for name in (*columns.meanings, *columns.unknown) for c in answer.cells(name))
        ),
        channels="\n".join(_channels(columns, averaging, sisters)),
    )


def _known_at(answer: Answer) -> str:
    moments = [pointer for pointer, text in answer.envelope.items() if is_moment_with_offset(text)]
    rules = [{"from": "option"}]
    if len(moments) == 1:
        rules.append({"from": "content", "pointer": moments[0], "format": "iso8601"})
    rules += [{"from": "header", "header": "Last-Modified"}, {"from": "receipt"}]
    return "\n".join(f"  - {_flow(rule)}" for rule in rules)


def _site(columns: Columns, sisters: Sequence[ObservationContract]) -> str:
    site: dict[str, Any] = {place: columns.names[heading] for place, heading in columns.places.items()}
    if "longitude" in site:
        site["crs"] = "EPSG:4490"
    types = sisters[0].site.types if len(sisters) == 1 else []
    if [rule.pattern for rule in types] == [""]:
        return _flow({**site, "types": [rule.model_dump() for rule in types]})
    return _flow(site) + f"  {MARK} types: what are its sites, and do they take part in areas' values?"


def _period(columns: Columns, averaging: timedelta, timezone: str, *, guessed: bool) -> str:
    length = f"\n  averaging: {duration(averaging)}"
    if guessed:
        length += f"  {MARK} averaging: no site has two times in the answer"
    return (
        f"\n  column: {columns.names[columns.label]}\n  format: {_flow(columns.time_format)}"
        f"\n  timezone: {timezone}"
        f"\n  label: end  {MARK} label: does the time name the period's start or its end?"
        f"{length}\n  plausible: {{from: '2000-01-01', ahead: PT2H}}"
    )


def _forms(answer: Answer, columns: Columns) -> str:
    form = dict(answer.form)
    renamed = {heading: name for heading, name in columns.names.items() if heading != name}
    if renamed:
        form["headings"] = renamed
    lines = [f"    {_flow(key)}: {_flow(value)}" for key, value in form.items() if key != "headings"]
    if renamed:
        lines += ["    headings:", *(f"      {_flow(heading)}: {name}" for heading, name in renamed.items())]
    return "\n".join([f"  {answer.kind}:", *lines])


def _header(names: Sequence[str]) -> str:
    return yaml.safe_dump(list(names), default_flow_style=True, width=100).strip()


def _marks(marks: Marks) -> str:
    text = _flow(list(marks.sentinels))
    if marks.unknown:
        some = ", ".join(marks.unknown[:_SHOWN]) + (" and more" if len(marks.unknown) > _SHOWN else "")
        text += f"  {MARK} sentinels: what do cells such as {some} mean?"
    signs = {
        key: list(found) for key in ("prefixes", "suffixes", "not_detected") if (found := getattr(marks, key))
    }
    return f"{text}\ncensored: {_flow(signs)}" if signs else text


def _channels(
    columns: Columns, averaging: timedelta, sisters: Sequence[ObservationContract]
) -> Iterator[str]:
    known = [channel for sister in sisters for channel in sister.channels.values()]
    if silent := [
        columns.names[heading] for heading, meant in columns.meanings.items() if not meant.received_unit
    ]:
        yield f"  {MARK} units: the answer names none for {', '.join(silent)}; are they those written below?"
    for heading, meant in columns.meanings.items():
        yield f"  {columns.names[heading]}: " + _channel(meant, averaging, known)
    for heading in columns.unknown:
        yield (
            f"  {MARK} {columns.names[heading]}: which property is {heading!r}? Write its channel,"
            " or take this line away to keep it out"
        )
    if not columns.meanings:
        yield "  {}"


def _channel(meant: Meaning, averaging: timedelta, known: Sequence[Channel]) -> str:
    ways = {c.procedure for c in known if c.property == meant.property and c.averaging == averaging}
    channel: dict[str, Any] = {"property": meant.property}
    if len(ways) == 1 and ways != {"measured"}:
        channel["procedure"] = ways.pop()
    channel |= {"averaging": duration(averaging), "unit": meant.unit}
    if meant.received_unit in ("", meant.unit):
        return _flow(channel)
    channel |= {"original_unit": meant.received_unit, "factor": 1}
    return _flow(channel) + f"  {MARK} factor: how many {meant.unit} is one {meant.received_unit}?"


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False)
    return text.removesuffix("...\n").strip()
