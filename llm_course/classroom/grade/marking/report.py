"""What grading one notebook found: scores by test, faults by name, nothing of hidden tests.

Everything here is plain data that the trusted side wrote; it is stored and sent as JSON.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Blame = Literal["student", "grader"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that went wrong and is not a failed test.

    Attributes:
        name: a fixed word, ``unreadable-notebook``, ``missing-test-cell``, ``cell-timeout``, ….
        message: one sentence for the student: what was expected, what came, what to do.
        blame: whose fault it is. A grader's fault never costs a student points silently: the
            report's `status` says that it must be graded again.
        cost: whether points may have been lost by it.
    """

    name: str
    message: str
    blame: Blame = "student"
    cost: bool = False


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """One test cell: what it gave and, when it failed, which behaviour failed."""

    __test__ = False  # pytest takes classes of this name for tests

    grade_id: str
    points: float
    max_points: float
    hidden: bool
    message: str = ""

    @property
    def passed(self) -> bool:
        """Whether it gave all of its points."""
        return self.points == self.max_points


@dataclass(frozen=True, kw_only=True)
class QuestionResult:
    """One exercise: its tests, the student's code, and the misconception that it behaves like."""

    grade_id: str
    title: str
    optional: bool
    tests: tuple[TestResult, ...]
    answer: str = ""
    misconception: str = ""
    misconception_name: str = ""
    link: str = ""
    faults: tuple[Fault, ...] = ()

    @property
    def points(self) -> float:
        """The points gained."""
        return sum(test.points for test in self.tests)

    @property
    def max_points(self) -> float:
        """The points to be had."""
        return sum(test.max_points for test in self.tests)


@dataclass(frozen=True, kw_only=True)
class Output:
    """What one cell of the student's showed before any test ran: plain text, capped."""

    cell: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """The grade of one notebook of one student.

    Attributes:
        student: whose it is, by id.
        chapter: the chapter, ``07_attention``.
        notebook: the notebook's name without suffix.
        submission_hash: SHA-256 of the bytes handed in.
        grader_hash: what the grade depends on besides them (release, tests, package, grader).
        status: ``graded``; or ``grader-fault`` when the grader itself failed, and the submission
            has to be graded again.
    """

    student: str
    chapter: str
    notebook: str
    submission_hash: str
    grader_hash: str
    status: Literal["graded", "grader-fault"] = "graded"
    questions: tuple[QuestionResult, ...] = ()
    faults: tuple[Fault, ...] = ()
    outputs: tuple[Output, ...] = ()
    seconds: float = 0.0

    @property
    def points(self) -> float:
        """The points gained, in all questions."""
        return sum(question.points for question in self.questions)

    @property
    def max_points(self) -> float:
        """The points to be had, in all questions."""
        return sum(question.max_points for question in self.questions)


def to_json(report: Report) -> str:
    """The report as JSON, the same text for the same report."""
    return json.dumps(asdict(report), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def from_json(text: str) -> Report:
    """The report that `to_json` wrote.

    >>> report = Report(student="ada", chapter="07", notebook="n", submission_hash="", \\
    ...     grader_hash="", faults=(Fault(name="late", message="Two days late."),))
    >>> from_json(to_json(report)) == report
    True
    """
    found: dict[str, Any] = json.loads(text)
    questions = tuple(_question(entry) for entry in found.pop("questions"))
    faults, outputs = _faults(found.pop("faults")), found.pop("outputs")
    return Report(
        questions=questions, faults=faults, outputs=tuple(Output(**o) for o in outputs), **found
    )


def _question(found: dict[str, Any]) -> QuestionResult:
    """One question from its JSON object."""
    tests = tuple(TestResult(**test) for test in found.pop("tests"))
    return QuestionResult(tests=tests, faults=_faults(found.pop("faults")), **found)


def _faults(found: Sequence[dict[str, Any]]) -> tuple[Fault, ...]:
    """Faults from their JSON objects."""
    return tuple(Fault(**fault) for fault in found)
