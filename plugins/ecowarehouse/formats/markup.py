"""Elements of an XML document as they end. Nothing is fetched, expanded or trusted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from lxml import etree

from ecowarehouse.formats.model import FormatProblem
from ecowarehouse.formats.sniff import Source

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class Readable(Protocol):
    """What a parser reads from."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        ...


def elements(
    stream: Readable, source: Source, names: Iterable[str], events: tuple[str, ...] = ("end",)
) -> Iterator[tuple[str, Any]]:
    """Events of the elements with these local names, whatever their namespace.

    Raises:
        FormatProblem: not_the_format, encoding or truncated.
    """
    try:
        found = etree.iterparse(
            stream,
            events=events,
            tag=[f"{{*}}{name}" for name in names],
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        for event, element in found:
            if element.getroottree().docinfo.internalDTD is not None:
                raise FormatProblem("not_the_format", "declares a document type, which no data feed needs")
            yield event, element
    except etree.XMLSyntaxError as error:
        raise _problem(error, source) from error


def tree(text: bytes, where: str) -> Any:
    """The root of a small document.

    Raises:
        FormatProblem: not_the_format.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FormatProblem("not_the_format", f"{where} is no XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise FormatProblem("not_the_format", f"{where} declares a document type, which no data feed needs")
    return root


def local(element: Any) -> str:
    """An element's name without its namespace; empty for what is no element."""
    # Not by QName, which refuses names that the parser lets pass.
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def forget(element: Any) -> None:
    """Free an element that was read, and what stands before it."""
    parent = element.getparent()
    element.clear()
    while element.getprevious() is not None:
        del parent[0]


def _problem(error: etree.XMLSyntaxError, source: Source) -> FormatProblem:
    source.read()
    message = str(error)
    if "ncoding" in message or "not proper UTF-8" in message:
        return FormatProblem("encoding", message)
    root = re.search(rb"<([A-Za-z_][\w.:-]*)", source.head)
    if root and not re.search(rb"</" + re.escape(root.group(1)) + rb"\s*>\s*$", source.tail):
        return FormatProblem("truncated", f"ends before its last element is closed: {message}")
    return FormatProblem("not_the_format", message)
