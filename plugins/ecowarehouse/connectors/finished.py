"""Which files of a folder are to be taken now: those that nobody writes any more and that were not taken yet."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from ecowarehouse.connectors.problems import FetchProblem
from ecowarehouse.contracts.transport import Watched
from ecowarehouse.formats.model import visible

_COMPANIONS: Final = (".done", ".sha256", ".md5")
_MOST_SHOWN: Final = 5
_HIDDEN: Final = (".", "~$")  # the second: what Excel lays beside a workbook that somebody has open

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """One file as a look shows it; `modified` in seconds since 1970 by the clock of its machine.

    `name` is the one for people and the ledger, `raw` the bytes by which its folder knows it.
    """

    name: str
    size: int
    modified: float
    raw: bytes

    @property
    def mark(self) -> str:
        """What the ledger keeps of it: another size or time under the same name is another file."""
        return f"{self.size}-{self.modified:.6f}".rstrip("0").rstrip(".")


Listing = Mapping[str, Found]
Seen = Mapping[tuple[str, str], bool]
"""Source and mark of what was received before, and whether it could be used."""


def listed(files: Iterable[tuple[bytes, int, float]]) -> dict[str, Found]:
    """A look, from names as bytes, sizes and times: each file under a name that no other has."""
    found: dict[str, Found] = {}
    for raw, size, modified in sorted(files, key=lambda file: (not _is_utf8(file[0]), file[0])):
        name = readable(raw)
        if name in found:
            name = _escaped(raw)
        found[name] = Found(name, size, modified, raw)
    return found


def readable(raw: bytes) -> str:
    """A name as its writer reads it: not UTF-8 is what a Chinese Windows sends, anything else shows its bytes."""
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    return _escaped(raw)


def _escaped(raw: bytes) -> str:
    return raw.decode("ascii", "backslashreplace")


def _is_utf8(raw: bytes) -> bool:
    return readable(raw).encode() == raw


@dataclass(frozen=True, slots=True)
class Choice:
    """`ready` in the order in which they are to be taken; `unfinished` with why; `passed` match no pattern."""

    ready: list[Found]
    unfinished: dict[str, str]
    stuck: dict[str, str]
    passed: list[str]


def choose(
    rule: Watched, pattern: str, looks: tuple[Listing, Listing], seen: Seen, source_of: Callable[[str], str]
) -> Choice:
    """Judge two looks at one folder.

    Taken are files that match and whose size and time stayed, with their companion where the contract declares one.
    What could not be used before is tried again, after what is new, until it can be or is taken away.
    """
    first, second = looks
    companions = tuple(suffix for suffix in (rule.done_suffix, rule.checksum_suffix) if suffix)
    writing = tuple(suffix.lower() for suffix in rule.unfinished_suffixes)
    ready: list[Found] = []
    passed: list[str] = []
    unfinished: dict[str, str] = {}
    for name, file in sorted(second.items()):
        if name.startswith(_HIDDEN) or name.endswith(companions or ("\0",)):
            continue
        if name.lower().endswith(writing or ("\0",)):
            if _matches(name.rpartition(".")[0], pattern) or _matches(name, pattern):
                unfinished[name] = "its name says that it is still being written"
            continue
        if not _matches(name, pattern):
            passed.append(name)
            continue
        if seen.get((source_of(name), file.mark)):
            continue
        missing = [suffix for suffix in companions if name + suffix not in second]
        if first.get(name) != file:
            unfinished[name] = "its size or time changed between two looks"
        elif missing:
            unfinished[name] = f"{name}{missing[0]} is not there"
        else:
            ready.append(file)
    ready.sort(key=lambda file: ((source_of(file.name), file.mark) in seen, file.name))
    return Choice(ready[: rule.most_files], unfinished, _stuck(rule, unfinished, second), passed)


def _matches(name: str, pattern: str) -> bool:
    """Without regard to case: to the Windows that wrote it, DATA.CSV is `*.csv`."""
    return fnmatchcase(name.lower(), pattern.lower())


def tell_passed(feed: str, choice: Choice) -> None:
    """Name in the log what lies there and is not taken; another feed may read the same folder, so it is no failure."""
    names = [name for name in choice.passed if not name.lower().endswith(_COMPANIONS)]
    if names:
        shown = ", ".join(map(visible, names[:_MOST_SHOWN])) + (", …" if len(names) > _MOST_SHOWN else "")
        logger.warning("%s: %d file(s) that match no pattern of this feed stay: %s", feed, len(names), shown)


def _stuck(rule: Watched, unfinished: Mapping[str, str], listing: Listing) -> dict[str, str]:
    oldest = datetime.now(UTC).timestamp() - rule.stuck_after.total_seconds()
    return {name: why for name, why in unfinished.items() if listing[name].modified < oldest}


def anything_before(seen: Seen) -> bool:
    """Whether something of this folder ever landed."""
    return any(seen.values())


def nothing_new(choice: Choice, before: bool, where: str) -> FetchProblem | None:
    """Why nothing is ready, if that is a problem: a folder that never gave anything is one, silence is not."""
    if before:
        return None
    waiting = "; ".join(f"{name}: {why}" for name, why in choice.unfinished.items())
    return FetchProblem("not_found", f"no finished file in {where}" + (f" ({waiting})" if waiting else ""))


def compare(file: Path, size: int, checksum: str | None, algorithm: str) -> None:
    """Whether what was copied is what the folder shows, and what its companion says.

    Raises:
        FetchProblem: truncated or checksum_mismatch.
    """
    if (copied := file.stat().st_size) != size:
        raise FetchProblem("truncated", f"{copied} of {size} bytes")
    if checksum is None:
        return
    said = (checksum.split() or [""])[0].lower()
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, algorithm).hexdigest()
    if said != found:
        raise FetchProblem(
            "checksum_mismatch", f"its companion says {said[:64]!r}, its {algorithm} is {found}"
        )
