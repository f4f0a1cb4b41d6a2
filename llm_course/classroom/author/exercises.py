"""The graded exercises of a notebook, and running their tests against a candidate answer.

An exercise is a statement, a solution cell, a visible test and a hidden test, in this order. Its
tests need nothing but the parameters and imports of the notebook and the graded function: so any
candidate can stand in for the solution. Leaves out isolation: candidates are the course's own
(the solution, the stub, the catalogued wrong answers). Students' code is run by the grader.
"""

import ast
import contextlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from llm_course.classroom.author import chapter_text
from llm_course.classroom.author.statement import Statement, statements
from llm_course.classroom.cells import (
    grade_id,
    grading,
    has_tag,
    is_solution,
    is_test,
    line_of,
)
from llm_course.classroom.course import Notebook, shown
from llm_course.classroom.release.stubs import stub_of
from llm_course.errors import CourseError


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One graded question: what it asks, its reference answer and its tests."""

    label: str
    title: str
    function_name: str
    points: int
    stars: int
    minutes: int
    optional: bool
    line: int
    path: str
    setup: str
    solution_source: str
    stub_source: str
    visible_test: str
    hidden_test: str

    @property
    def file_name(self) -> str:
        """The module that holds its wrong answers: ``ex_07_1_scaled_dot_product.py``."""
        return self.label.replace("-", "_") + ".py"


@dataclass(frozen=True)
class Outcome:
    """Whether a candidate passed; if not, what failed and with which message.

    `which` is ``candidate`` when the candidate's own cell fails, else ``visible`` or ``hidden``.
    """

    passed: bool
    message: str = ""
    which: str = ""


def exercises(notebook: Notebook) -> list[Exercise]:
    """The exercises of an authored notebook, in its order.

    Raises:
        CourseError: an exercise lacks its statement, one of its tests, or a function.
    """
    return exercises_of(chapter_text.read(notebook))


def exercises_of(notebook: NotebookNode) -> list[Exercise]:
    """The exercises of a notebook that `author.read` gave."""
    path = str(notebook.metadata["llm_course"]["path"])
    stated: dict[str, Statement] = {}
    tests: dict[str, NotebookNode] = {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            stated |= {statement.label: statement for statement in statements(cell)}
        elif is_test(cell):
            tests[grade_id(cell)] = cell
    setup = "\n".join(
        cell.source
        for cell in notebook.cells
        if has_tag(cell, "parameters") or has_tag(cell, "imports")
    )
    solutions = [cell for cell in notebook.cells if is_solution(cell)]
    return [_exercise(cell, stated, tests, setup, path) for cell in solutions]


def run_tests(exercise: Exercise, candidate: str | Callable[..., Any]) -> Outcome:
    """Run the exercise's tests, visible then hidden, on a candidate in a fresh namespace.

    Args:
        exercise: the exercise.
        candidate: the source of a cell that defines the graded function, or the function itself.
    """
    space: dict[str, Any] = {"__name__": "__main__"}
    _run(exercise.setup, exercise.path, space)
    try:
        if isinstance(candidate, str):
            _run(candidate, exercise.label, space)
        else:
            space[exercise.function_name] = candidate
    except Exception as error:
        return Outcome(False, _told(error), "candidate")
    for which, test in (("visible", exercise.visible_test), ("hidden", exercise.hidden_test)):
        try:
            _run(test, f"{exercise.label} ({which} test)", space)
        except Exception as error:
            return Outcome(False, _told(error), which)
    return Outcome(True)


def graded_function(source: str) -> ast.FunctionDef | None:
    """The first function that a solution cell defines: the one that is graded.

    >>> graded_function("def first(): pass\\ndef second(): pass").name
    'first'
    """
    found = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return found[0] if found else None


def _exercise(
    cell: NotebookNode,
    stated: dict[str, Statement],
    tests: dict[str, NotebookNode],
    setup: str,
    path: str,
) -> Exercise:
    """One exercise from its solution cell and what the notebook holds beside it."""
    label = grade_id(cell)
    where = f"{path}:{line_of(cell)}: {label}"
    name = re.sub(r"^ex-", "test-", label)
    for key, pieces in ((label, stated), (name, tests), (f"{name}-hidden", tests)):
        if key not in pieces:
            raise CourseError(f"{where}: found no {key}. Fix: write that cell of the exercise.")
    function = graded_function(cell.source)
    if function is None:
        raise CourseError(f"{where}: the solution defines no function. Fix: grade a function.")
    visible, hidden, statement = tests[name], tests[f"{name}-hidden"], stated[label]
    return Exercise(
        label=label,
        title=statement.title,
        function_name=function.name,
        points=sum(int(grading(test).get("points", 0)) for test in (visible, hidden)),
        stars=statement.stars,
        minutes=statement.minutes,
        optional=has_tag(cell, "optional"),
        line=line_of(cell),
        path=shown(path),
        setup=setup,
        solution_source=cell.source,
        stub_source=stub_of(cell.source, label),
        visible_test=visible.source,
        hidden_test=hidden.source,
    )


def _run(source: str, name: str, space: dict[str, Any]) -> None:
    """Execute a cell; what it prints is not kept."""
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(source, f"<{name}>", "exec"), space)


def _told(error: Exception) -> str:
    """What a student would read: the assertion's message, or the error and its type."""
    text = str(error).strip()
    if isinstance(error, AssertionError):
        return text
    return f"{type(error).__name__}: {text}"
