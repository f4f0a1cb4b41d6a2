"""What a feedback page shows: every text of a student's reports, made inert and cut to size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from llm_course.classroom.grade.marking.report import (
    Fault,
    Output,
    QuestionResult,
    Report,
    TestResult,
)
from llm_course.classroom.grade.outputs.highlight import highlighted
from llm_course.classroom.grade.outputs.plain_text import number, one_line, plain
from llm_course.classroom.grade.outputs.wording import (
    address,
    cost,
    in_book,
    misconception,
    outcome,
    points_told,
    title_of,
)
from llm_course.classroom.grade.records.class_grades import ClassGrades, Total
from llm_course.classroom.grade.records.override import graded_tests, reason_of


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of each thing a page shows, in characters and in numbers of things.

    Attributes:
        code: characters of an answer.
        solved_code: whether answers that have all their points are shown.
        message: characters of a test's message, a fault or a reason.
        output: characters of what a cell showed.
        outputs: how many outputs of one notebook.
        questions: how many exercises on the page.
        tests: how many tests of one exercise.
        faults: how many faults of one notebook or exercise.
        reports: how many notebooks on the page.
    """

    code: int = 6000
    solved_code: bool = True
    message: int = 2000
    output: int = 2000
    outputs: int = 20
    questions: int = 200
    tests: int = 20
    faults: int = 10
    reports: int = 40


NAME, TITLE = 80, 120


def view(
    student: str, grades: ClassGrades, limits: Limits, book: str, titles: Mapping[str, str]
) -> dict[str, Any]:
    """The values of the template."""
    totals = grades.of(student)
    final = [total for total in totals if not total.to_regrade]
    reports = [(total, report) for total in totals for report in total.reports]
    left, shown = limits.questions, []
    for total, report in reports[: limits.reports]:
        shown.append(_notebook(total, report, limits, left, book, titles))
        left -= len(shown[-1]["questions"])
    points, most = sum(t.points for t in final), sum(t.max_points for t in final)
    return {
        "name": one_line(grades.name(student), NAME) or "(no name)",
        "student": one_line(student, NAME),
        "points": number(points),
        "max_points": number(most),
        "share": _share(points, most),
        "final": bool(final),
        "chapters": [_chapter(total) for total in totals[: limits.reports]],
        "notebooks": shown,
        "reports_left_out": max(len(reports) - limits.reports, 0),
        "solved_code": limits.solved_code and limits.code > 0,
    }


def expected_size(reports: Sequence[Report], limits: Limits) -> int:
    """Roughly how many bytes the texts of these reports come to; costs no rendering."""
    shown, left = 0, limits.questions
    for report in reports[: limits.reports]:
        questions = report.questions[: max(left, 0)]
        left -= len(questions)
        shown += _messages(report.faults[: limits.faults], limits.message)
        shown += sum(min(len(o.text), limits.output) for o in report.outputs[: limits.outputs])
        for question in questions:
            shown += 2 * min(len(question.answer), limits.code)
            shown += _messages(question.tests[: limits.tests], limits.message)
            shown += _messages(question.faults[: limits.faults], limits.message)
    return shown


def _messages(told: Sequence[TestResult | Fault], longest: int) -> int:
    """The characters of the messages."""
    return sum(min(len(one.message), longest) for one in told)


def _chapter(total: Total) -> dict[str, Any]:
    """A row of the table of totals."""
    return {
        "name": one_line(total.reports[0].chapter, TITLE),
        "earned": number(total.earned),
        "penalty": number(total.penalty) if total.penalty else "",
        "points": number(total.points),
        "max_points": number(total.max_points),
        "to_regrade": total.to_regrade,
    }


def _notebook(
    total: Total, report: Report, limits: Limits, left: int, book: str, titles: Mapping[str, str]
) -> dict[str, Any]:
    """One notebook."""
    name = titles.get(f"{report.chapter}/{report.notebook}") or title_of(
        report.chapter, report.notebook
    )
    questions = report.questions[: max(left, 0)]
    faults = _faults(report.faults, report.points, report.max_points, limits)
    outputs = [_output(output, limits) for output in report.outputs[: limits.outputs]]
    return {
        "title": one_line(name or title_of(report.chapter, report.notebook), TITLE),
        "points": number(report.points),
        "max_points": number(report.max_points),
        "to_regrade": report.status == "grader-fault",
        "penalty": points_told(total.penalty) if total.penalty else "",
        "faults": faults,
        "faults_left_out": max(len(report.faults) - limits.faults, 0),
        "questions": [_question(question, limits, book) for question in questions],
        "questions_left_out": len(report.questions) - len(questions),
        "outputs": outputs,
        "outputs_left_out": max(len(report.outputs) - limits.outputs, 0),
        "hash": one_line(report.submission_hash, NAME)[:16],
    }


def _question(question: QuestionResult, limits: Limits, book: str) -> dict[str, Any]:
    """One exercise."""
    tests = graded_tests(question)
    solved = bool(tests) and all(outcome(test) == "passed" for test in tests)
    name = one_line(question.title, TITLE) or one_line(question.grade_id, TITLE)
    return {
        "title": name,
        "id": one_line(question.grade_id, NAME) if question.title != question.grade_id else "",
        "points": number(question.points),
        "max_points": number(question.max_points),
        "optional": question.optional,
        "solved": solved,
        "full": question.points >= question.max_points,
        "reason": plain(reason_of(question), limits.message),
        "tests": [_test(test, tests, limits) for test in tests[: limits.tests]],
        "tests_left_out": max(len(tests) - limits.tests, 0),
        "misconception": misconception(question.misconception),
        "href": one_line(address(question.link, book), 400) if len(question.link) <= 300 else "",
        "section": question.link if in_book(question.link) and len(question.link) < 200 else "",
        "faults": _faults(question.faults, question.points, question.max_points, limits),
        "faults_left_out": max(len(question.faults) - limits.faults, 0),
        "code": _code(question.answer, limits, solved),
    }


def _test(test: TestResult, tests: Sequence[TestResult], limits: Limits) -> dict[str, Any]:
    """One test of an exercise; it needs its id only where there are others of its kind."""
    several = sum(other.hidden == test.hidden for other in tests) > 1
    return {
        "outcome": outcome(test),
        "kind": "Hidden test" if test.hidden else "Visible test",
        "id": one_line(test.grade_id, NAME) if several else "",
        "points": number(test.points),
        "max_points": number(test.max_points),
        "message": plain(test.message, limits.message).strip(),
    }


def _faults(
    faults: Sequence[Fault], points: float, max_points: float, limits: Limits
) -> list[dict[str, Any]]:
    """What went wrong besides tests."""
    return [
        {
            "name": one_line(fault.name, 40),
            "message": plain(fault.message, limits.message).strip(),
            "cost": cost(fault, points, max_points),
            "costly": fault.cost and fault.blame == "student" and points < max_points,
        }
        for fault in faults[: limits.faults]
    ]


def _code(answer: str, limits: Limits, solved: bool) -> Markup | str:
    """The student's own code."""
    wanted = limits.code > 0 and (limits.solved_code or not solved)
    shown = plain(answer, limits.code).strip("\n") if wanted else ""
    return highlighted(shown) if shown.strip() else ""


def _output(output: Output, limits: Limits) -> dict[str, str]:
    """What one cell showed."""
    return {"cell": one_line(output.cell, NAME), "text": plain(output.text, limits.output).rstrip()}


def _share(points: float, most: float) -> int:
    """Points as per cent, for a bar."""
    return round(100 * min(max(points / most, 0.0), 1.0)) if most > 0 else 0
