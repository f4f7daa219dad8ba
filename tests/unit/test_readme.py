"""The two READMEs say the same: commands, links, figures, limits. That links lead somewhere: test_dictionary."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def blocks(path: Path) -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands(path: Path) -> list[str]:
    """Lines of commands without what is said of them: a comment, or what follows a gap of two blanks."""
    lines = [line for block in blocks(path) for line in block.splitlines()]
    said = [re.split(r"\s{2,}|\s+#", line)[0] for line in lines if re.match(r"(make|eco) ", line)]
    assert len(said) > 20
    return said


def questions(path: Path) -> list[str]:
    """The SQL of the block with queries, comments left out."""
    block = next(block for block in blocks(path) if "eco query" in block)
    return [line for line in block.splitlines() if not line.startswith("#")]


def links(path: Path) -> set[str]:
    return {link for link in _LINK.findall(path.read_text(encoding="utf-8")) if not link.startswith("#")}


def numbers(path: Path) -> list[str]:
    """The lines of figures in the table of the demo."""
    return [line for block in blocks(path) for line in block.splitlines() if re.match(r" (\d|all) ", line)]


def headings(path: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"^#+ (.*)$", text, re.MULTILINE)


def test_both_name_the_same_commands_queries_and_figures() -> None:
    assert commands(CHINESE) == commands(ENGLISH)
    assert questions(CHINESE) == questions(ENGLISH)
    assert numbers(CHINESE) == numbers(ENGLISH) != []


def test_both_have_the_same_links_and_link_each_other() -> None:
    assert links(CHINESE) - {"README.md"} == links(ENGLISH) - {"README.zh-CN.md"}
    assert "README.md" in links(CHINESE)
    assert "README.zh-CN.md" in links(ENGLISH)


def test_both_have_the_same_sections_and_limits() -> None:
    assert len(headings(CHINESE)) == len(headings(ENGLISH))
    for text in (CHINESE.read_text(encoding="utf-8"), ENGLISH.read_text(encoding="utf-8")):
        limits = text.split("\n## ")[-1]
        assert len(re.findall(r"^- ", limits, re.MULTILINE)) == 9
    assert all(_HAN.search(heading) for heading in headings(CHINESE))
