"""How a notebook opens: what it is, what it needs, its parameters and its imports."""

import ast
import re
from collections.abc import Iterator

from llm_course.classroom.author.conventions.chapter import Chapter, tree
from llm_course.classroom.cells import has_tag
from llm_course.classroom.problems import Problem

PARAMETERS = ("SCALE", "DEVICE", "SEED")
PROMISES = ("what you will be able to do", "prerequisites", "minutes")


def front_matter(chapter: Chapter) -> Iterator[Problem]:
    """The YAML names title, minutes and prerequisites; the title is the heading."""
    given = chapter.front_matter
    kinds = {"title": str, "minutes": int, "prerequisites": list}
    for key, kind in kinds.items():
        if not isinstance(given.get(key), kind):
            yield chapter.problem(
                1,
                "front-matter",
                f"llm_course.{key}: expected a {kind.__name__}, got {given.get(key)!r}. "
                f"Fix: add it to the YAML at the top.",
            )
    titles = [(text, line) for level, text, line in chapter.headings() if level == 1]
    if len(titles) != 1:
        yield chapter.problem(1, "title", f"expected one # heading, got {len(titles)}.")
    elif titles[0][0] != given.get("title"):
        yield chapter.problem(
            titles[0][1],
            "title",
            f"the heading is {titles[0][0]!r}, llm_course.title {given.get('title')!r}. "
            "Fix: make them the same.",
        )


def first_cell(chapter: Chapter) -> Iterator[Problem]:
    """The first cell says what the reader will be able to do, what it takes, how long."""
    first = chapter.cells[0] if chapter.cells else None
    text = first.source.lower() if first is not None and first.cell_type == "markdown" else ""
    for promise in PROMISES:
        if promise not in text:
            yield chapter.problem(
                first if first is not None else 1,
                "opening",
                f"the first cell must be Markdown that says {promise!r}. Fix: add the sentence.",
            )
    stated = re.search(r"(\d+) minutes", text)
    minutes = chapter.front_matter.get("minutes")
    if stated and isinstance(minutes, int) and int(stated[1]) != minutes:
        yield chapter.problem(
            first, "opening", f"the text says {stated[1]} minutes, llm_course.minutes {minutes}."
        )


def parameters(chapter: Chapter) -> Iterator[Problem]:
    """The first code cell is tagged ``parameters`` and sets exactly SCALE, DEVICE and SEED."""
    cell = chapter.code[0] if chapter.code else None
    body = tree(cell) if cell is not None else None
    names = [
        target.id
        for statement in (body.body if body else [])
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    ]
    if cell is None or not has_tag(cell, "parameters") or sorted(names) != sorted(PARAMETERS):
        yield chapter.problem(
            cell if cell is not None else 1,
            "parameters",
            f"the first code cell must carry the tag parameters and set {', '.join(PARAMETERS)}.",
        )


def imports(chapter: Chapter) -> Iterator[Problem]:
    """The second code cell, and no other, is tagged ``imports``; it holds every import."""
    for index, cell in enumerate(chapter.code):
        body = tree(cell)
        found = any(
            isinstance(n, ast.Import | ast.ImportFrom) for n in ast.walk(body or ast.Pass())
        )
        if (index == 1) != has_tag(cell, "imports"):
            yield chapter.problem(
                cell, "imports", "the second code cell, and no other, carries the tag imports."
            )
        elif found and index != 1:
            yield chapter.problem(
                cell, "imports", "an import outside the imports cell. Fix: move it there."
            )
