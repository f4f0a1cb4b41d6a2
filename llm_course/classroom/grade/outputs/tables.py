"""`grades.csv` for spreadsheets and `grades.json` for programs.

In the CSV a student's points add up to the grade: what being late costs is a row of its own. The
JSON holds the same with every test and the totals. Both come out the same for the same grades.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llm_course.classroom.grade.marking.report import Fault, QuestionResult, Report
from llm_course.classroom.grade.outputs.plain_text import number, plain
from llm_course.classroom.grade.records.class_grades import ClassGrades, Total
from llm_course.classroom.grade.records.override import LINE, graded_tests, reason_of
from llm_course.files import atomic_write

COLUMNS = (
    "student",
    "chapter",
    "notebook",
    "exercise",
    "points",
    "max_points",
    "faults",
    "override reason",
)

WHOLE_NOTEBOOK, LATE = "(notebook)", "(late penalty)"
LONGEST_CELL, LONGEST_TEXT = 2_000, 20_000

# What a spreadsheet takes for the start of a formula, the full-width forms included.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def write(folder: Path, grades: ClassGrades) -> list[Path]:
    """Write both files into `folder`, each whole or not at all.

    Raises:
        CourseError: the disk is full or the folder cannot be written.
    """
    made = {"grades.csv": csv_text(grades), "grades.json": json_text(grades)}
    for name, text in made.items():
        atomic_write(Path(folder) / name, text)
    return [Path(folder) / name for name in made]


def csv_text(grades: ClassGrades) -> str:
    """The table of exercises, one row each.

    A row ``(notebook)`` holds the faults of a whole notebook, a row ``(late penalty)`` what was
    deducted. What the grader failed to grade has an empty cell for its points.
    """
    return rows_as_csv([COLUMNS, *_rows(grades)])


def json_text(grades: ClassGrades) -> str:
    """The same as data, with tests and totals."""
    found = {
        "max_points": grades.max_points,
        "students": [_student(grades, student) for student in grades.students],
    }
    return json.dumps(found, indent=1) + "\n"


def rows_as_csv(rows: Iterable[Sequence[str | float | None]]) -> str:
    """Rows as CSV; text that a spreadsheet would run as a formula is made harmless.

    Numbers must be given as numbers: text is guarded, even when it reads like one.

    Source:
        OWASP, CSV Injection, https://owasp.org/www-community/attacks/CSV_Injection
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def guarded(text: str) -> str:
    r"""Text with a leading apostrophe when a spreadsheet would take it for a formula.

    >>> guarded("=1+1"), guarded(" @sum"), guarded("a-b")
    ("'=1+1", "' @sum", 'a-b')
    """
    risky = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return f"'{text}" if risky else text


def _cell(value: str | float | None) -> str:
    """One cell."""
    if value is None:
        return ""
    return guarded(plain(value, LONGEST_CELL)) if isinstance(value, str) else number(value)


def _rows(grades: ClassGrades) -> Iterator[tuple[str | float | None, ...]]:
    """The rows of the CSV below its heading."""
    for student in grades.students:
        for total in grades.of(student):
            for report in total.reports:
                yield from _report_rows(report)
            if total.penalty:
                chapter = total.reports[0].chapter
                yield student, chapter, "", LATE, -total.penalty, 0.0, "", ""


def _report_rows(report: Report) -> Iterator[tuple[str | float | None, ...]]:
    """The rows of one notebook."""
    where = (report.student, report.chapter, report.notebook)
    failed = report.status == "grader-fault"
    if report.faults or failed or not report.questions:
        names = _names(report.faults)
        if failed and "grader-fault" not in names:
            names = "; ".join(filter(None, ("grader-fault", names)))
        yield *where, WHOLE_NOTEBOOK, None if failed else 0.0, 0.0, names, ""
    for question in report.questions:
        points = None if failed else question.points
        faults, reason = _names(question.faults), reason_of(question)
        yield *where, question.grade_id, points, question.max_points, faults, reason


def _names(faults: Sequence[Fault]) -> str:
    """The names of faults, each once."""
    return "; ".join(dict.fromkeys(fault.name for fault in faults))


def _student(grades: ClassGrades, student: str) -> dict[str, Any]:
    """One student of the JSON."""
    totals = grades.of(student)
    return {
        "student": student,
        "name": grades.name(student),
        "points": _rounded(sum(t.points for t in totals if not t.to_regrade)),
        "max_points": sum(grades.max_points.values()),
        "chapters": [_chapter(total) for total in totals],
    }


def _chapter(total: Total) -> dict[str, Any]:
    """One chapter of a student."""
    return {
        "chapter": total.reports[0].chapter,
        "points": None if total.to_regrade else _rounded(total.points),
        "max_points": total.max_points,
        "late_penalty": _rounded(total.penalty),
        "faults": total.faults,
        "notebooks": [_notebook(report) for report in total.reports],
    }


def _notebook(report: Report) -> dict[str, Any]:
    """One notebook of a student."""
    return {
        "notebook": report.notebook,
        "status": report.status,
        "submission_hash": report.submission_hash,
        "grader_hash": report.grader_hash,
        "points": None if report.status == "grader-fault" else _rounded(report.points),
        "max_points": report.max_points,
        "faults": [_fault(fault) for fault in report.faults],
        "exercises": [_exercise(question) for question in report.questions],
    }


def _exercise(question: QuestionResult) -> dict[str, Any]:
    """One exercise of a notebook."""
    tests = [asdict(test) | {"passed": test.passed} for test in graded_tests(question)]
    overridden = any(test.grade_id == LINE for test in question.tests)
    return {
        "exercise": question.grade_id,
        "title": plain(question.title, LONGEST_CELL),
        "optional": question.optional,
        "points": _rounded(question.points),
        "max_points": question.max_points,
        "misconception": question.misconception_name,
        "override_reason": reason_of(question) if overridden else None,
        "faults": [_fault(fault) for fault in question.faults],
        "tests": [t | {"message": plain(t["message"], LONGEST_TEXT)} for t in tests],
    }


def _fault(fault: Fault) -> dict[str, Any]:
    """One fault."""
    return asdict(fault) | {"message": plain(fault.message, LONGEST_TEXT)}


def _rounded(points: float) -> float:
    """Points without the noise of floating point."""
    return round(points, 6)
