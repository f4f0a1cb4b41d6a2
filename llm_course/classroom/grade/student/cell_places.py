"""Where a release has a student's cell, and whether the cell is still as the course made it.

A cell is known by its grade id, by its id, else by what it holds. Tools drop any of these. Where
the release that the student began with is known, an edit is what differs from it; where it is not,
a released code cell still tells by its id, which is the hash of its text.
"""

import copy
import hashlib
import re
from collections.abc import Collection
from dataclasses import replace

from nbformat import NotebookNode

from llm_course.classroom.cells import grade_id, grading, is_test
from llm_course.classroom.grade.marking.assignment import Assignment
from llm_course.classroom.grade.marking.matching import Known, normalised
from llm_course.classroom.grade.marking.read_notebook import Cell
from llm_course.classroom.grade.student.answer_state import as_released, state_of
from llm_course.classroom.grade.student.release_history import cell_texts

# The ids of released cells are hashes of their text; Jupyter gives other ids to new cells.
_RELEASED_ID = re.compile(r"[0-9a-f]{12}")


class Places:
    """The places of a new release.

    Args:
        assignment: the new release and its questions.
        began_with: the release that the student began with, None if it is not known.
        ids: the ids of the student's cells.
    """

    def __init__(
        self,
        assignment: Assignment,
        began_with: NotebookNode | None,
        ids: Collection[str | None],
    ) -> None:
        release = copy.deepcopy(assignment.release)
        before = began_with.cells if began_with else []
        self._known = Known(replace(assignment, release=release))
        self._began_is_known = began_with is not None
        self._course = cell_texts(release) | (cell_texts(began_with) if began_with else set())
        self._old_ids = {cell.get("id") for cell in before}
        self._by_text = {_text(c): i for i, c in reversed(list(enumerate(release.cells)))}
        self._by_name = {grade_id(c): i for i, c in enumerate(release.cells) if grade_id(c)}
        self._by_id = {cell.get("id"): i for i, cell in enumerate(release.cells)}
        self._ids_are_lost = not set(ids) & (self._old_ids | set(self._by_id))

    def index(self, cell: NotebookNode) -> int | None:
        """Which cell of the release this is, or was before it was edited or answered."""
        name = grade_id(cell) or str(cell.get("id", ""))
        if name in self._by_name:
            return self._by_name[name]
        if cell.get("id") in self._by_id and not grade_id(cell):
            return self._by_id[cell.id]
        if self._ids_are_lost and _text(cell) in self._by_text:
            return self._by_text[_text(cell)]
        kind, answer = self._taken_for(cell)
        return self._by_name[answer] if kind == "answer" else None

    def is_unchanged(self, cell: NotebookNode) -> bool:
        """Whether a cell stands as the course released it, so that nothing is to be moved."""
        if as_released(cell) or state_of(cell) == "open":
            return True
        if _text(cell) in self._course:
            return self.is_the_course_s(cell)
        return self._is_unknown(cell) and cell.cell_type == "code" and _fits_its_id(cell)

    def is_unclear(self, cell: NotebookNode) -> bool:
        """Whether this is a text of an unknown release, of which nobody can say who wrote what."""
        return self._is_unknown(cell) and cell.cell_type != "code"

    def is_the_course_s(self, cell: NotebookNode) -> bool:
        """Whether the cell is one of the course's, maybe edited or answered."""
        known = cell.get("id") in self._old_ids or cell.get("id") in self._by_id
        if grading(cell) or known or _has_released_id(cell):
            return True
        if not self._ids_are_lost:
            return False
        return _text(cell) in self._course or self._taken_for(cell)[0] == "test"

    def tells_the_place(self, cell: NotebookNode) -> bool:
        """Whether what follows the cell belongs behind its place in the release.

        It does not behind an answer in a cell of the student's own, which may stand anywhere.
        """
        return self._ids_are_lost or self.is_the_course_s(cell)

    def _is_unknown(self, cell: NotebookNode) -> bool:
        """Whether the cell is from a release of which nothing else is known."""
        new = cell.get("id") in self._by_id
        return not (self._began_is_known or new or grading(cell)) and _has_released_id(cell)

    def _taken_for(self, cell: NotebookNode) -> tuple[str, str]:
        """What the grader would take a code cell for, by its text alone."""
        if cell.cell_type != "code" or is_test(cell):
            return "added", ""
        return self._known.place(Cell("code", "", cell.source))


def _text(cell: NotebookNode) -> tuple[str, str]:
    """What a cell is recognised by when its id is lost."""
    return cell.cell_type, normalised(cell.source)


def _has_released_id(cell: NotebookNode) -> bool:
    """Whether the cell's id is one that a release gave."""
    return bool(_RELEASED_ID.fullmatch(str(cell.get("id", ""))))


def _fits_its_id(cell: NotebookNode) -> bool:
    """Whether a released code cell still holds the text of which its id is the hash."""
    texts = (f"{n}\n{cell.cell_type}\n{cell.source}" for n in range(1, 10))
    return any(hashlib.sha256(text.encode()).hexdigest()[:12] == cell.id for text in texts)
