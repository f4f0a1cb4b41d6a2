"""Putting a student's work into another release of their notebook, so that nothing is lost.

Work is what differs from the release that the student began with: answers, cells of their own, and
cells of the course that they edited. An answer goes to the exercise of its grade id, else to the
one that asks for a function of that name. A cell of their own follows the cell it followed. An
edited cell takes the place of the same cell. Whatever finds no place comes last, under a heading.
"""

import copy
import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, field

import nbformat
from nbformat import NotebookNode, ValidationError

from llm_course.classroom.cells import grade_id, grading, is_solution, is_test
from llm_course.classroom.grade.marking.assignment import Assignment
from llm_course.classroom.grade.outputs.plain_text import one_line
from llm_course.classroom.grade.student.cell_places import Places

HEADING = "## From your earlier notebook"


@dataclass
class Merged:
    """A release with a student's work in it, and what moved where.

    Attributes:
        notebook: the result.
        answers: the exercises whose answers moved.
        renamed: of these, the ones with another name before, by that name.
        edited: how many cells of the course hold the student's version.
        added: how many cells of their own moved.
        left: what found no place, in words.
        unclear: how many course texts could not be told from the student's and were not moved.
    """

    notebook: NotebookNode
    answers: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    edited: int = 0
    added: int = 0
    left: list[str] = field(default_factory=list)
    unclear: int = 0


def merge(student: NotebookNode, assignment: Assignment, began_with: NotebookNode | None) -> Merged:
    """The release of an assignment with a student's work in it.

    Args:
        student: the student's notebook; it is not changed.
        assignment: the new release and its questions.
        began_with: the release that the student began with, None if it is not known.
    """
    ids = [cell.get("id") for cell in student.cells]
    mover = _Mover(assignment.release, Places(assignment, began_with, ids))
    for cell in student.cells:
        mover.take(cell)
    return mover.finish()


class _Mover:
    """Takes a student's cells one by one, in their order."""

    def __init__(self, release: NotebookNode, places: Places) -> None:
        self._notebook, self._places = copy.deepcopy(release), places
        self._answers: dict[int, list[NotebookNode]] = defaultdict(list)
        self._edits: dict[int, NotebookNode] = {}
        self._added: dict[int, list[NotebookNode]] = defaultdict(list)
        self._left: list[NotebookNode] = []
        self._after = -1  # the cell of the release behind which the student is now
        self._found = Merged(self._notebook)

    def take(self, cell: NotebookNode) -> None:
        """Find the place of a student's cell."""
        index = self._places.index(cell)
        self._follow(cell, index)
        if not cell.source.strip() or self._places.is_unchanged(cell):
            return
        if self._places.is_unclear(cell):
            self._found.unclear += 1
        elif index is not None and is_solution(self._notebook.cells[index]):
            self._answers[index].append(cell)
        elif index is not None and self._may_be_edited(index, cell):
            self._edits[index] = cell
        elif index is not None or self._places.is_the_course_s(cell):
            self._left.append(cell)
            self._found.left.append(_in_words(cell))
        else:
            self._added[self._after].append(cell)
            self._found.added += 1

    def finish(self) -> Merged:
        """The notebook with everything in its place."""
        for index in sorted(self._answers):
            self._answer(index)
        for index, cell in self._edits.items():
            self._notebook.cells[index].source = cell.source
        self._found.edited = len(self._edits)
        cells = list(self._added[-1])
        for index, cell in enumerate(self._notebook.cells):
            cells += [cell, *self._added[index]]
        if self._left and not any(c.source.startswith(HEADING) for c in cells):
            cells.append(_heading(self._found.left))
        self._notebook.cells = _unique(cells + self._left, self._notebook.cells)
        return self._found

    def _follow(self, cell: NotebookNode, index: int | None) -> None:
        """Keep step with the student's notebook."""
        cells = self._notebook.cells
        if index is not None and self._places.tells_the_place(cell):
            self._after = index
        elif index is None and is_test(cell):
            # A test of another name stands for the next one of the exercise here.
            self._after += self._after + 1 < len(cells) and is_test(cells[self._after + 1])

    def _may_be_edited(self, index: int, cell: NotebookNode) -> bool:
        """Whether a student's version may take the place of a cell: once, and not of a test."""
        released = self._notebook.cells[index]
        same_type = released.cell_type == cell.cell_type
        return same_type and index not in self._edits and not grading(released)

    def _answer(self, index: int) -> None:
        """Write a student's answer; several cells become one, in their order."""
        target, given = self._notebook.cells[index], self._answers[index]
        target.source = "\n\n".join(dict.fromkeys(cell.source.strip("\n") for cell in given))
        name = grade_id(target)
        self._found.answers.append(name)
        for earlier in {grade_id(cell) for cell in given} - {"", name}:
            self._found.renamed[earlier] = name


def _in_words(cell: NotebookNode) -> str:
    """What a cell without a place is, as a student knows it."""
    name = grade_id(cell)
    if is_solution(cell):
        return f"your answer to {name}"
    if name:
        return f"your version of {name}"
    first = next((line for line in cell.source.split("\n") if line.strip()), "")
    return f"your version of the {cell.cell_type} cell “{one_line(first, 60)}”"


def _heading(left: list[str]) -> NotebookNode:
    """The cell above those that found no place."""
    told = "\n".join(f"- {what}" for what in left)
    text = f"{HEADING}\n\nThis release has no place for these cells of yours:\n\n{told}"
    return nbformat.v4.new_markdown_cell(text, id="from-your-earlier-notebook")


def _unique(cells: list[NotebookNode], released: list[NotebookNode]) -> list[NotebookNode]:
    """The cells, a student's own without the course's metadata, each with an id of its own."""
    the_course_s = {id(cell) for cell in released}
    taken = {cell.id for cell in released}
    made = []
    for cell in cells:
        if id(cell) in the_course_s:
            made.append(cell)
            continue
        own, wanted = _own(cell), str(cell.get("id", ""))
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", wanted) or wanted in taken:
            digest = hashlib.sha256(f"{len(made)}\n{cell.source}".encode()).hexdigest()
            wanted = f"mine-{digest[:16]}"
        own["id"] = wanted
        taken.add(wanted)
        made.append(own)
    return made


def _own(cell: NotebookNode) -> NotebookNode:
    """A copy of a student's cell that is nobody's exercise, valid whatever its outputs were."""
    own = copy.deepcopy(cell)
    for name in ("nbgrader", "deletable", "editable"):
        own.metadata.pop(name, None)
    try:
        ref = f"{own.cell_type}_cell"
        nbformat.validate(own | {"id": "x"}, ref=ref, version=4, version_minor=5)
    except (ValidationError, TypeError):
        own = nbformat.v4.new_code_cell(own.source)
    return own
