"""The columns of an answer: what each is for, and a name for it that a contract can use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ecowarehouse.contracts.proposal.answer import Answer, NoProposal
from ecowarehouse.contracts.proposal.meaning import Meaning, Vocabulary
from ecowarehouse.contracts.proposal.times import FORMATS, format_of

NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,58}")
_RESERVED: Final = {"batch_id", "row_number", "rejected_columns"}
_PLACES: Final = {
    "code": r"(station|site|point|section|meter|device)_?(code|id|no)?$|^(mn|stcd|code|id)$|编号|编码|代码|站号",
    "name": r"name$|名称|站名|点位名",
    "area": r"^(area|city|county|town|township|district)(_?name)?$|乡镇|区县|行政区|城市|所在地",
    "longitude": r"^(lon|lng|long|longitude)$|经度",
    "latitude": r"^(lat|latitude)$|纬度",
}


@dataclass(frozen=True, slots=True)
class Columns:
    """What an answer's columns are for, by the source's headings.

    `places` says which heading tells code, name, area, longitude and latitude of a site, `meanings` which property a
    heading names, `unknown` which columns hold numbers that nobody can name, and `names` how a contract calls each.
    """

    label: str
    time_format: str
    places: Mapping[str, str]
    meanings: Mapping[str, Meaning]
    unknown: tuple[str, ...]
    names: Mapping[str, str]


def columns_of(answer: Answer, vocabulary: Vocabulary) -> Columns:
    """Sort the columns of an answer.

    Raises:
        NoProposal: no column holds times, none can say the site, or elements have names that no contract can use.
    """
    label, time_format = _label(answer)
    others = [name for name in answer.names if name != label]
    meanings = {
        name: meant
        for name in others
        if is_numeric(answer, name) and (meant := vocabulary.meaning_of(name)) is not None
    }
    free = [name for name in others if name not in meanings]
    places = _places(answer, free)
    unknown = [name for name in free if name not in places.values() and is_numeric(answer, name)]
    names = _names(answer, {label: "time"} | {h: f"site_{p}" for p, h in places.items()}, meanings)
    return Columns(label, time_format, places, meanings, tuple(unknown), names)


def is_numeric(answer: Answer, name: str) -> bool:
    """Whether a column carries numbers: half of its filled cells or more are some."""
    filled = [cell for cell in answer.cells(name) if cell]
    return bool(filled) and sum(NUMBER.fullmatch(cell) is not None for cell in filled) * 2 >= len(filled)


def _label(answer: Answer) -> tuple[str, str]:
    """The column of the period: of those that hold times, the one with most of them, and the first of equals."""
    found = [(name, form) for name in answer.names if (form := format_of(answer.cells(name))) is not None]
    if not found:
        raise NoProposal(f"no column holds times as iso8601 or {', '.join(FORMATS)}")
    return max(found, key=lambda pair: sum(bool(cell) for cell in answer.cells(pair[0])))


def _places(answer: Answer, free: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, pattern in _PLACES.items():
        named = [n for n in free if n not in found.values() and re.search(pattern, n, re.IGNORECASE)]
        if named:
            found[place] = named[0]
    if "code" not in found:  # the name is the best that there is
        texts = [found["name"]] if "name" in found else [n for n in free if not is_numeric(answer, n)]
        if not texts:
            raise NoProposal(f"none of the columns {', '.join(answer.names)} can say the site")
        found = {place: heading for place, heading in found.items() if heading != texts[0]} | {
            "code": texts[0]
        }
    return found


def _names(answer: Answer, roles: Mapping[str, str], meanings: Mapping[str, Meaning]) -> dict[str, str]:
    """A contract's name for each heading: its own where it is one, else what it is for, else its place."""
    if answer.fixed_names:
        if wrong := [name for name in answer.names if not _NAME.fullmatch(name) or name in _RESERVED]:
            raise NoProposal(f"the elements {', '.join(wrong)} can't be names of columns (a-z, 0-9 and _)")
        return {name: name for name in answer.names}
    names: dict[str, str] = {}
    for place, heading in enumerate(answer.names, start=1):
        for name in _candidates(heading, place, roles, meanings):
            if _NAME.fullmatch(name) and name not in _RESERVED and name not in names.values():
                names[heading] = name
                break
    return names


def _candidates(
    heading: str, place: int, roles: Mapping[str, str], meanings: Mapping[str, Meaning]
) -> Iterator[str]:
    yield heading
    if heading in meanings:
        yield meanings[heading].property
    if heading.isascii():
        yield re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", heading).lower()).strip("_")
    if heading in roles:
        yield roles[heading]
    yield f"column_{place}"
