"""An authored notebook as the rules see it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from llm_course.classroom.author import colon_fences
from llm_course.classroom.author.colon_fences import Fence
from llm_course.classroom.cells import line_of
from llm_course.classroom.course import Notebook, shown
from llm_course.classroom.problems import Problem


@dataclass(frozen=True)
class Chapter:
    """A notebook's cells, its front matter and where it lies."""

    root: Path
    notebook: Notebook
    cells: tuple[NotebookNode, ...]
    front_matter: dict[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> str:
        """The chapter's number, two digits."""
        return self.notebook.chapter[:2]

    @cached_property
    def code(self) -> list[NotebookNode]:
        """The code cells."""
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @cached_property
    def markdown(self) -> list[NotebookNode]:
        """The Markdown cells."""
        return [cell for cell in self.cells if cell.cell_type == "markdown"]

    def problem(self, where: NotebookNode | int, rule: str, message: str) -> Problem:
        """A problem at a cell's first line, or at a line."""
        line = where if isinstance(where, int) else line_of(where)
        return Problem(shown(self.notebook.path), line, rule, message)

    def fences(self) -> Iterator[tuple[NotebookNode, Fence, int]]:
        """Every colon fence: its cell, the fence, its line in the chapter."""
        for cell in self.markdown:
            for fence in colon_fences.fences(colon_fences.parse(cell.source)):
                yield cell, fence, line_of(cell) + fence.line - 1

    def headings(self) -> Iterator[tuple[int, str, int]]:
        """Every Markdown heading outside code: its level, its text, its line."""
        for cell in self.markdown:
            for offset, text in prose_lines(cell.source):
                level = len(text) - len(text.lstrip("#"))
                if level and text[level : level + 1] == " ":
                    yield level, text[level:].strip(), line_of(cell) + offset


def prose_lines(source: str) -> Iterator[tuple[int, str]]:
    """The lines of Markdown that stand outside backtick fences, with their offsets.

    >>> list(prose_lines("a\\n```\\ncode\\n```\\nb"))
    [(0, 'a'), (4, 'b')]
    """
    inside = False
    for offset, text in enumerate(source.split("\n")):
        if text.lstrip().startswith("```"):
            inside = not inside
        elif not inside:
            yield offset, text


def tree(cell: NotebookNode) -> ast.Module | None:
    """The cell's syntax tree; none when it is not plain Python (the linter says why)."""
    try:
        return ast.parse(cell.source)
    except SyntaxError:
        return None
