"""Markdown pages of the project as HTML, with links between them that still work."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path, PurePosixPath
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PAGE: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.6 system-ui, "Noto Sans CJK SC", sans-serif; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; margin: 1rem 0; }} pre {{ background: #f4f4f2; padding: .8rem; overflow-x: auto; }}
td, th {{ border: 1px solid #bbb; padding: .25rem .5rem; text-align: left; vertical-align: top; }}
code {{ background: #f4f4f2; overflow-wrap: anywhere; }}
</style></head><body><p><a href="{home}">目录 · contents</a></p>
{body}
</body></html>
"""
_ROOT_PAGES: Final = ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md")


def write(project: Path, target: Path) -> list[Path]:
    """Render the project's pages into `target`: `docs/` at its top, those of the project's root under `project/`."""
    places = _places(project)
    written = []
    for source, place in places.items():
        path = target / place
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (project / source).read_text(encoding="utf-8")
        path.write_text(render(text, source, places), encoding="utf-8")
        written.append(path)
    return written


def render(text: str, source: PurePosixPath, places: Mapping[PurePosixPath, PurePosixPath]) -> str:
    """One page; HTML inside the text is shown, not obeyed."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    text = re.sub(r"\A<!--.*?-->\n", "", text, flags=re.DOTALL)
    tokens = markdown.parse(text)
    title = source.name
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            content = tokens[index + 1].content
            title = content if token.tag == "h1" else title
            token.attrSet("id", anchor(content))
        for child in token.children or ():
            _mend(child, source, places)
    body = markdown.renderer.render(tokens, markdown.options, {})
    here = places[source].parent
    home = os.path.relpath("index.html", str(here))
    return _PAGE.format(title=escape(title), home=home, body=body)


def anchor(heading: str) -> str:
    """The id that forges give a heading."""
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in " -_")
    return kept.strip().replace(" ", "-")


def _places(project: Path) -> dict[PurePosixPath, PurePosixPath]:
    """From the path of each source page in the project to that of its HTML."""
    found = {
        PurePosixPath(name): PurePosixPath("project") / name
        for name in _ROOT_PAGES
        if (project / name).exists()
    }
    for path in sorted((project / "docs").rglob("*.md")):
        source = PurePosixPath(path.relative_to(project).as_posix())
        found[source] = source.relative_to("docs")
    return {source: _html_name(place) for source, place in found.items()}


def _html_name(place: PurePosixPath) -> PurePosixPath:
    is_index = place.name == "README.md" and place.parts[0] != "project"
    return place.with_name("index.html") if is_index else place.with_suffix(".html")


def _mend(token: Token, source: PurePosixPath, places: Mapping[PurePosixPath, PurePosixPath]) -> None:
    """Point a link to the HTML of the page it names; a link to another file of the project loses its address."""
    href = token.attrGet("href")
    if token.type != "link_open" or not isinstance(href, str) or re.match(r"[a-z]+:|#", href):
        return
    path, hash_sign, fragment = href.partition("#")
    named = PurePosixPath(os.path.normpath(source.parent / path))
    named = named / "README.md" if named / "README.md" in places else named
    if named not in places:
        token.attrs.pop("href")
        return
    token.attrSet("href", os.path.relpath(places[named], places[source].parent) + hash_sign + fragment)
