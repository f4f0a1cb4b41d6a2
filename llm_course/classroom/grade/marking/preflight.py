"""Rebuilding what a student wrote on top of the release that the course knows.

The set-up comes from the course, the answers from the student, wherever they now stand; test cells
are the course's own, whatever the student's file holds. `rebuild` never raises: what is wrong with
a file is named in a fault, with what was expected, what came and what it costs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from llm_course.classroom.grade.marking.assignment import Assignment
from llm_course.classroom.grade.marking.matching import Known, normalised
from llm_course.classroom.grade.marking.read_notebook import Cell, read_cells
from llm_course.classroom.grade.marking.report import Fault

Kind = Literal["setup", "answer", "added"]
MOST_CODE = 2_000_000  # characters of all cells that are run


@dataclass(frozen=True)
class RebuiltCell:
    """A code cell that the sandbox runs."""

    kind: Kind
    grade_id: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """A submission as the grader runs it.

    Attributes:
        cells: what runs, in the order of the student's notebook after the set-up.
        answers: the student's code for each question, the stub where there is none.
        faults: what was found and mended, or lost.
        version: the release that the notebook names, "" if it names none.
    """

    cells: tuple[RebuiltCell, ...]
    answers: Mapping[str, str]
    faults: tuple[Fault, ...]
    version: str


def rebuild(assignment: Assignment, data: bytes) -> Rebuilt:
    """The cells to run and the answers of a file that was handed in, whatever it holds."""
    read = read_cells(data)
    faults = list(read.faults)
    known = Known(assignment)
    setup = [RebuiltCell("setup", "", source) for source in assignment.setup]
    if read.cells is None:
        stubs = {question.grade_id: question.stub for question in assignment.questions}
        return Rebuilt(cells=tuple(setup), answers=stubs, faults=tuple(faults), version="")
    kept = _kept(read.cells, known, faults)
    faults += _absent_tests(read.cells, known)
    answers = {q.grade_id: _joined(kept, q.grade_id) or q.stub for q in assignment.questions}
    return Rebuilt(
        cells=(*setup, *kept),
        answers=answers,
        faults=tuple(dict.fromkeys(faults)),
        version=_version(read.metadata),
    )


def _kept(cells: list[Cell], known: Known, faults: list[Fault]) -> list[RebuiltCell]:
    """The student's cells that are run: answers, and what they added."""
    kept, room = [], MOST_CODE
    for cell in cells:
        kind, name = known.place(cell)
        if kind not in ("answer", "added"):
            continue
        if cell.kind != "code":
            if kind == "answer":
                faults.append(_not_code(name, cell.kind))
            continue
        if len(cell.source) > room:
            faults.append(
                Fault(
                    name="too-much-code",
                    message=f"The notebook holds more than {MOST_CODE:,} characters of code; what "
                    "comes after them was not run. Remove what is not needed.",
                    cost=True,
                )
            )
            break
        room -= len(cell.source)
        if cell.source.strip():
            kept.append(RebuiltCell(kind, name, cell.source))
    return kept


def _joined(kept: list[RebuiltCell], name: str) -> str:
    """All cells of one answer, in their order."""
    return "\n\n".join(cell.source for cell in kept if cell.grade_id == name)


def _absent_tests(cells: list[Cell], known: Known) -> list[Fault]:
    """Test cells that were deleted or changed: told, and without cost."""
    there = {normalised(cell.source) for cell in cells}
    absent = [name for name, source in known.tests.items() if normalised(source) not in there]
    if not absent:
        return []
    return [
        Fault(
            name="changed-test-cell",
            message=f"Test cells were changed or deleted ({', '.join(absent)}). The course's own "
            "were run instead, so this costs nothing.",
        )
    ]


def _not_code(name: str, kind: str) -> Fault:
    """An answer whose cell is of another type."""
    return Fault(
        name="answer-not-code",
        message=f"{name}: expected a code cell, got a {kind} cell, so nothing was run. In "
        "JupyterLab, select the cell and press Y to make it code again.",
        cost=True,
    )


def _version(metadata: Mapping[str, Any]) -> str:
    """The version that the release was stamped with."""
    stamp = metadata.get("llm_course")
    version = stamp.get("version") if isinstance(stamp, Mapping) else ""
    return version[:40] if isinstance(version, str) else ""
