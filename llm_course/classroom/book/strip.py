"""The two editions of an executed chapter: the reader's without solutions, the instructor's with.

What a reader must not see is removed from the notebook itself, before the book is built. So it is
in no page, no source link and no search index.
"""

import copy
import re
from typing import Literal, get_args

from nbformat import NotebookNode

from llm_course.classroom.cells import grade_id, has_tag, is_hidden_test, is_solution
from llm_course.classroom.lesson import cards
from llm_course.classroom.release.stubs import stub_of
from llm_course.errors import CourseError

Edition = Literal["reader", "instructor"]

_HIDDEN = re.compile(
    r"^[ \t]*### BEGIN HIDDEN TESTS[ \t]*\n.*?^[ \t]*### END HIDDEN TESTS[ \t]*$\n?",
    re.MULTILINE | re.DOTALL,
)
_MARKER = re.compile(r"^[ \t]*### (?:BEGIN|END) (?:SOLUTION|HIDDEN TESTS)[ \t]*$\n?", re.MULTILINE)


def check_edition(edition: str) -> Edition:
    """`edition`, if there is one of that name.

    Raises:
        CourseError: there is not.

    >>> check_edition("reader")
    'reader'
    """
    if edition not in get_args(Edition):
        raise CourseError(
            f"EDITION: expected reader or instructor, got {edition!r}. "
            "Fix: make book EDITION=instructor"
        )
    return edition


def for_edition(notebook: NotebookNode, edition: Edition) -> NotebookNode:
    """A copy of an executed `notebook` as `edition` shows it."""
    shown = copy.deepcopy(notebook)
    shown.metadata.pop("papermill", None)
    shown.cells = [cell for cell in shown.cells if not has_tag(cell, "injected-parameters")]
    for cell in shown.cells:
        cell.metadata.pop("papermill", None)
        for output in cell.get("outputs", []):
            # A card kept as data is for the page of cards; here its HTML is shown.
            output.get("data", {}).pop(cards.MIME, None)
    return _without_solutions(shown) if edition == "reader" else _folded(shown)


def without_hidden_tests(source: str) -> str:
    """The code of a test cell without its hidden regions.

    >>> without_hidden_tests("a()\\n### BEGIN HIDDEN TESTS\\nb()\\n### END HIDDEN TESTS\\n")
    'a()'
    """
    return _HIDDEN.sub("", source).rstrip()


def solution_lines(notebook: NotebookNode) -> set[str]:
    """The lines of code that the reader's edition must not show, stripped of indentation.

    A line that stands elsewhere in the notebook too (in a lesson or a visible test) gives nothing
    away and is left out, and so is one of less than ten characters.
    """
    hidden: set[str] = set()
    shown: set[str] = set()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            shown |= _lines(cell.source)
            continue
        kept = "" if is_hidden_test(cell) else without_hidden_tests(cell.source)
        kept = stub_of(kept, grade_id(cell)) if is_solution(cell) else kept
        shown |= _lines(kept)
        hidden |= _lines(_MARKER.sub("", cell.source)) - _lines(kept)
    return {line for line in hidden - shown if len(line) >= 10}


def _without_solutions(notebook: NotebookNode) -> NotebookNode:
    """The reader's edition: stubs in place of solutions, no hidden test."""
    kept = []
    for cell in notebook.cells:
        if cell.cell_type == "code" and is_solution(cell):
            cell.source = stub_of(cell.source, grade_id(cell))
            cell.outputs, cell.execution_count = [], None
        elif cell.cell_type == "code" and "### BEGIN HIDDEN TESTS" in cell.source:
            cell.source = without_hidden_tests(cell.source)
            if is_hidden_test(cell) or not cell.source:
                continue
        kept.append(cell)
    notebook.cells = kept
    return notebook


def _folded(notebook: NotebookNode) -> NotebookNode:
    """The instructor's edition: solutions and hidden tests there, behind a click."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and (is_solution(cell) or is_hidden_test(cell)):
            cell.source = _MARKER.sub("", cell.source).rstrip()
            cell.metadata["tags"] = [*(cell.metadata.get("tags") or []), "hide-input"]
    return notebook


def _lines(source: str) -> set[str]:
    """The lines of `source` without indentation and without comments of their own."""
    stripped = (line.strip() for line in source.splitlines())
    return {line for line in stripped if line and not line.startswith("#")}
