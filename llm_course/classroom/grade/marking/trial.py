"""Running the tests of a question on the trusted side, with proxies in place of the answers.

A proxy sends the arguments of each call to the student's kernel and gives back the plain value
that came. The tests cannot tell it from a function of their own, and nothing else of the student's
is on this side.
"""

import contextlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_course.classroom.grade.marking.answers import Answers
from llm_course.classroom.grade.marking.assignment import Question, Test
from llm_course.classroom.grade.marking.failure_message import told
from llm_course.classroom.grade.marking.report import TestResult
from llm_course.classroom.grade.walls.student_kernel import KernelGone
from llm_course.classroom.grade.walls.wire import WireError
from llm_course.classroom.grade.walls.withheld_view import MARK

Space = dict[str, Any]


class TestAtFault(BaseException):
    """A test did what no test may, such as passing an argument that cannot cross.

    No `Exception`: a test that expects one must not take this for it.
    """

    __test__ = False  # pytest takes classes of this name for tests


@dataclass
class Proxy:
    """A student's function, as a test sees it."""

    name: str
    question: Question
    answers: Answers
    gone: bool = False
    withheld: str = ""

    def __post_init__(self) -> None:
        self.__name__ = self.name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function in its sandbox."""
        try:
            return self.answers.call(self.question, self.name, arguments, named)
        except WireError as error:
            raise TestAtFault(f"{self.question.grade_id}: {error}") from error
        except KernelGone:
            self.gone = True
            raise
        except RuntimeError as error:
            self._notice(str(error))
            raise

    def _notice(self, message: str) -> None:
        """Remember that the answer called what is withheld."""
        mark, _, name = message.partition(": ")
        if mark == MARK and name in self.question.withheld:
            self.withheld = name


def set_up(setup: Sequence[str], seed: int) -> Space:
    """The namespace that tests start from: the notebook's set-up, with a seed of its own."""
    space: Space = {"__name__": "__main__"}
    for number, source in enumerate(setup):
        run_quietly(source, f"<set-up {number}>", space)
    if "SEED" in space:
        space["SEED"] = seed
    return space


def run_test(test: Test, functions: Mapping[str, Callable[..., Any]], space: Space) -> TestResult:
    """The result of one test cell on functions, in a copy of `space`.

    Raises:
        TestAtFault: the test did what it may not.
    """
    name = f"<{test.grade_id}>"
    points, message = 0.0, ""
    try:
        run_quietly(test.source, name, {**space, **functions})
        if any(getattr(function, "gone", False) for function in functions.values()):
            message = told(KernelGone("timeout"), test.source, name, hidden=test.hidden)
        else:
            points = test.points
    except (Exception, KernelGone) as error:
        message = told(error, test.source, name, hidden=test.hidden)
    for function in functions.values():
        if withheld := getattr(function, "withheld", ""):
            message = (
                f"your answer calls {withheld}. That is what this exercise asks you to build, so "
                "it is withheld in grading. Write it yourself."
            )
    return TestResult(
        grade_id=test.grade_id,
        points=points,
        max_points=test.points,
        hidden=test.hidden,
        message=message,
    )


def run_quietly(source: str, name: str, space: Space) -> None:
    """Execute a trusted cell; what it prints is not kept."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(source, name, "exec"), space)
