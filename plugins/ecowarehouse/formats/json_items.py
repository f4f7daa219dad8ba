"""JSON with a list of objects somewhere in an envelope. Numbers stay the text that was received."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.forms import JsonForm
from ecowarehouse.formats.model import FormatProblem, FormatReason, ReceivedTable, RowBuilder, whole_number
from ecowarehouse.formats.sniff import Source


def read(contract: Contract, form: JsonForm, source: Source) -> Iterator[ReceivedTable]:
    """Tables of a JSON payload. null is an empty cell; an absent field makes a ragged row.

    Raises:
        FormatProblem: not_the_format, header_changed, encoding, truncated or no_rows.
    """
    source.expect_text()
    content = parse(source.whole())
    items = pointed(content, form.items)
    if not isinstance(items, list):
        raise FormatProblem("not_the_format", f"no list at {form.items}")
    builder = RowBuilder(contract.header)
    for item in items:
        if not isinstance(item, dict):
            raise FormatProblem("not_the_format", f"an item of {form.items} is no object")
        builder.add(_cells(item, form))
        if builder.full:
            yield builder.take()
    total = pointed(content, form.total) if form.total else None
    yield builder.finish(whole_number(None if total is None else str(total), f"{form.total}"))


def parse(payload: bytes) -> Any:
    """JSON with every number as the text that was received.

    Raises:
        FormatProblem: encoding, truncated or not_the_format.
    """
    try:
        return json.loads(
            payload.decode("utf-8-sig"), parse_float=str, parse_int=str, parse_constant=str,
            object_pairs_hook=_unique,
        )  # fmt: skip
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            raise FormatProblem("truncated", f"it ends inside a character, at byte {len(payload)}") from error
        raise FormatProblem("encoding", f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        reason: FormatReason = "truncated" if _is_cut(error) else "not_the_format"
        raise FormatProblem(reason, f"no valid JSON: {error}") from error
    except RecursionError as error:
        raise FormatProblem("not_the_format", "nested deeper than any feed") from error


def _is_cut(error: json.JSONDecodeError) -> bool:
    """Whether it began as JSON and only its end is missing: nothing is left to read, or the begin of a word or text."""
    left = error.doc[error.pos :].strip()
    begun = error.doc.lstrip().startswith(("{", "["))
    return begun and (
        error.msg.startswith("Unterminated string")
        or (error.msg.startswith("Invalid \\uXXXX") and len(left) < 6)
        or any(word.startswith(left) for word in ("true", "false", "null", "-"))
    )


def pointed(content: Any, pointer: str) -> Any:
    """What a JSON pointer points at; None where nothing is."""
    for escaped in pointer.split("/")[1:]:
        step = escaped.replace("~1", "/").replace("~0", "~")
        if isinstance(content, dict):
            content = content.get(step)
        elif isinstance(content, list) and step.isdecimal() and int(step) < len(content):
            content = content[int(step)]
        else:
            return None
    return content


def _cells(item: dict[str, Any], form: JsonForm) -> list[tuple[str, str | None]]:
    return [
        (form.headings.get(name, name), text_of(value))
        for name, value in item.items()
        if name not in form.ignore
    ]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FormatProblem("not_the_format", "a field stands twice in one object")
    return found


def text_of(value: Any) -> str:
    """A value as text: null is empty, what is nested stays JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)
