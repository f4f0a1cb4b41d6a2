"""A student's answers, running: kernels that hold them, and that are made again after a death.

Questions that are graded with the same names withheld share a kernel. A cell that hangs or ends
its kernel is left out from then on, and the other cells are run again in a fresh one.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_course.classroom.grade.marking.assignment import Assignment, Question
from llm_course.classroom.grade.marking.preflight import RebuiltCell
from llm_course.classroom.grade.marking.report import Fault, Output
from llm_course.classroom.grade.walls.student_kernel import KernelGone, StudentKernel
from llm_course.classroom.grade.walls.withheld_view import build_view

CELL_SECONDS = 30.0
CALL_SECONDS = 10.0
ALL_SECONDS = 120.0
MOST_DEATHS = 12

_WHY = {
    "timeout": f"did not finish within {CELL_SECONDS:.0f} seconds",
    "memory": "used more memory than a notebook may",
    "died": "ended its Python process",
}


@dataclass
class Room:
    """The kernel of the questions that have the same names withheld."""

    package: Path
    libraries: Sequence[str]
    kernel: StudentKernel | None = None
    ready: bool = False


@dataclass
class Answers:
    """The cells of one submission, and the kernels in which they run.

    Use it in a ``with`` block. `begin` starts the kernels and runs the cells; `call` answers the
    tests. `faults` and `outputs` say what the cells did before any test ran.
    """

    assignment: Assignment
    cells: Sequence[RebuiltCell]
    setup: Sequence[str]
    packages: Sequence[Path]
    work: Path
    answered: frozenset[str]
    readable: Sequence[Path] = ()
    sandboxed: bool = True
    faults: list[Fault] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rooms: dict[tuple[str, ...], Room] = {}
        self._left_out: set[int] = set()
        self._told: set[tuple[int, str]] = set()
        self._deaths, self._began = 0, time.monotonic()
        self._testing = False

    def begin(self) -> None:
        """Start a kernel for each set of withheld names, then run the cells in each.

        Nothing is run for questions without an answer.
        """
        for question in self.assignment.questions:
            if question.grade_id in self.answered:
                self._room(question)
        for room in self._rooms.values():
            room.kernel = self._kernel(room)
        for room in self._rooms.values():
            self._prepare(room)
        self._testing = True

    def call(
        self, question: Question, name: str, arguments: Sequence[Any], named: Mapping[str, Any]
    ) -> Any:
        """Call a function of the student's, in the kernel of its question.

        Raises:
            KernelGone: it is not to be had any more.
        """
        room = self._room(question)
        if not room.ready:
            self._prepare(room)
        if room.kernel is None:
            raise KernelGone("timeout")
        try:
            return room.kernel.call(name, arguments, named, CALL_SECONDS)
        except KernelGone:
            room.kernel, room.ready = None, False
            self._deaths += 1
            raise

    def close(self) -> None:
        """End all kernels."""
        for room in self._rooms.values():
            if room.kernel is not None:
                room.kernel.close()
                room.kernel, room.ready = None, False

    def __enter__(self) -> "Answers":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _room(self, question: Question) -> Room:
        """The room of a question."""
        key = tuple(sorted(question.withheld))
        if key not in self._rooms:
            package = self.work / f"view-{len(self._rooms)}"
            libraries = build_view(self.packages, key, package)
            self._rooms[key] = Room(package, libraries)
        return self._rooms[key]

    def _kernel(self, room: Room) -> StudentKernel:
        """A fresh kernel for a room."""
        return StudentKernel(room.package, self.readable, room.libraries, sandboxed=self.sandboxed)

    def _prepare(self, room: Room) -> None:
        """Run the set-up and the cells in a room's kernel, as often as it takes."""
        while self._deaths <= MOST_DEATHS and time.monotonic() - self._began < ALL_SECONDS:
            room.kernel = room.kernel or self._kernel(room)
            number = -1
            try:
                room.kernel.wait()
                for source in self.setup:
                    room.kernel.run(source, CELL_SECONDS, silent=True)
                for number, cell in enumerate(self.cells):
                    if cell.kind != "setup" and number not in self._left_out:
                        self._run(room.kernel, number, cell)
            except KernelGone as gone:
                room.kernel = None
                self._deaths += 1
                if number >= 0:
                    self._left_out.add(number)
                    self._tell(number, "cell-stopped", f"{_WHY[gone.reason]} and was left out.")
                continue
            room.ready = True
            return
        self._tell(-1, "time-limit", "took too long in all; what was left was not run.")

    def _run(self, kernel: StudentKernel, number: int, cell: RebuiltCell) -> None:
        """Run one cell of the student's; what it shows is kept if no test has run yet."""
        outcome = kernel.run(cell.source, CELL_SECONDS)
        if self._testing:
            return
        where = cell.grade_id or f"added cell {number + 1}"
        if outcome.text.strip() and all(output.cell != where for output in self.outputs):
            self.outputs.append(Output(cell=where, text=outcome.text))
        if not outcome.ok:
            self._tell(number, "cell-error", f"raised {outcome.error[:300]}")

    def _tell(self, number: int, name: str, what: str) -> None:
        """Add a fault about a cell, once."""
        if (number, name) in self._told or (self._testing and name == "cell-error"):
            return
        self._told.add((number, name))
        cell = self.cells[number] if number >= 0 else None
        which = f"The cell {cell.grade_id}" if cell and cell.grade_id else "A cell that you added"
        message = f"{which if cell else 'The notebook'} {what}"
        costs = name != "cell-error" or bool(cell and cell.kind == "answer")
        self.faults.append(Fault(name=name, message=message, cost=costs))
