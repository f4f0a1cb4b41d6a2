"""How a notebook ends: what to remember, a quiz, further reading, what changes at scale."""

import re
from collections.abc import Iterator

from llm_course.classroom.author.conventions.chapter import Chapter
from llm_course.classroom.author.references import citation_keys
from llm_course.classroom.cells import line_of
from llm_course.classroom.problems import Problem

REMEMBERED, FEWEST_CITATIONS = 5, 2
SECTIONS = ("what to remember", "self-check quiz", "further reading", "at gpu scale")


def sections(chapter: Chapter) -> Iterator[Problem]:
    """The four closing sections, each with what it must hold."""
    found = {
        name: (line, chapter_section(chapter, line))
        for level, name, line in ((lv, text.lower(), ln) for lv, text, ln in chapter.headings())
        if level == 2
    }
    for name in SECTIONS:
        if name not in found:
            yield chapter.problem(1, "ending", f"expected a section ## {name.capitalize()}.")
            continue
        line, text = found[name]
        if wrong := _wrong(name, text):
            yield chapter.problem(line, "ending", wrong)


def chapter_section(chapter: Chapter, line: int) -> str:
    """The text from the heading at `line` to the next heading of its cell."""
    for cell in chapter.markdown:
        lines = cell.source.split("\n")
        if line_of(cell) <= line < line_of(cell) + len(lines):
            rest = "\n".join(lines[line - line_of(cell) + 1 :])
            return re.split(r"^#{1,2} ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return ""


def _wrong(name: str, text: str) -> str:
    """What a closing section lacks, if anything."""
    if name == SECTIONS[0]:
        points = len(re.findall(r"^(?:[-*]|\d+\.) ", text, re.MULTILINE))
        if points != REMEMBERED:
            return f"what to remember: expected {REMEMBERED} lines, got {points}."
    if name == SECTIONS[1] and "{dropdown}" not in text:
        return "the quiz needs answers, folded in :::{dropdown} Answer."
    if name == SECTIONS[2] and len(set(citation_keys(text))) < FEWEST_CITATIONS:
        return f"further reading: expected at least {FEWEST_CITATIONS} citations."
    if not text.strip():
        return f"the section {name!r} is empty."
    return ""
