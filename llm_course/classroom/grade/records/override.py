"""Points that an instructor sets by hand, with the reason.

An override is kept beside the reports, never inside what the grader wrote, so it outlives every
new run. `apply` adds it to a report as one more line of the exercise, whose points make up the
difference: totals come out right everywhere, and what the tests said stays visible.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from llm_course.classroom.grade.marking.report import QuestionResult, Report, TestResult
from llm_course.errors import CourseError

LINE = "manual-override"


@dataclass(frozen=True, kw_only=True)
class Override:
    """The points of one exercise of one student, set by hand.

    Attributes:
        student: whose.
        chapter: of which chapter.
        exercise: which, by its grade id.
        points: what the exercise gives instead; more than its maximum is a bonus.
        reason: why, in a sentence that the student reads too.

    Raises:
        CourseError: the points are no number from 0 up, or there is no reason.
    """

    student: str
    chapter: str
    exercise: str
    points: float
    reason: str

    def __post_init__(self) -> None:
        where = f"override of {self.exercise} for {self.student}"
        if not (math.isfinite(self.points) and self.points >= 0):
            raise CourseError(
                f"{where}: expected points from 0 up, got {self.points}. Fix: correct the number."
            )
        if not self.reason.strip():
            raise CourseError(
                f"{where}: expected a reason, got none. Fix: write one; the student will read it."
            )

    @property
    def key(self) -> tuple[str, str, str]:
        """What it applies to."""
        return self.student, self.chapter, self.exercise


def apply(reports: Iterable[Report], overrides: Iterable[Override]) -> list[Report]:
    """The reports with the overridden exercises giving the points that were set.

    Doing it again changes nothing; of two overrides of one exercise the later one counts; one
    that was taken back leaves no trace.

    >>> test = TestResult(grade_id="test-1", points=0, max_points=4, hidden=False)
    >>> question = QuestionResult(grade_id="ex-1", title="One", optional=False, tests=(test,))
    >>> report = Report(student="ada", chapter="07", notebook="n", submission_hash="",
    ...                 grader_hash="", questions=(question,))
    >>> kind = Override(student="ada", chapter="07", exercise="ex-1", points=3, reason="Shown me.")
    >>> apply([report], [kind])[0].points, apply([report], [])[0] == report
    (3, True)
    """
    wanted = {override.key: override for override in overrides}
    return [
        replace(
            report,
            questions=tuple(
                _overridden(q, wanted.get((report.student, report.chapter, q.grade_id)))
                for q in report.questions
            ),
        )
        for report in reports
    ]


def problems(reports: Iterable[Report], overrides: Iterable[Override]) -> list[str]:
    """Overrides that look mistaken, one sentence each: of nothing, or above the maximum."""
    reports = list(reports)
    largest = {
        (report.student, report.chapter, question.grade_id): question.max_points
        for report in reports
        for question in report.questions
    }
    found = []
    for override in overrides:
        where = f"override of {override.exercise} for {override.student} in {override.chapter}"
        if override.key not in largest:
            found.append(f"{where}: no such exercise was graded. Fix: correct its name.")
        elif override.points > largest[override.key]:
            found.append(
                f"{where}: {override.points:g} points, and the exercise has "
                f"{largest[override.key]:g}. Fix: nothing, if a bonus is meant."
            )
    return found


def graded_tests(question: QuestionResult) -> tuple[TestResult, ...]:
    """What the grader found, without a line that an instructor added."""
    return tuple(test for test in question.tests if test.grade_id != LINE)


def reason_of(question: QuestionResult) -> str:
    """The reason of the override, "" when there is none."""
    return next((test.message for test in question.tests if test.grade_id == LINE), "")


def without(reports: Sequence[Report]) -> list[Report]:
    """The reports as the grader wrote them."""
    return apply(reports, ())


def _overridden(question: QuestionResult, override: Override | None) -> QuestionResult:
    """The exercise with the override as its last line, in place of an earlier one."""
    tests = graded_tests(question)
    if override is not None:
        line = TestResult(
            grade_id=LINE,
            points=override.points - sum(test.points for test in tests),
            max_points=0,
            hidden=False,
            message=override.reason,
        )
        tests = (*tests, line)
    return replace(question, tests=tests)
