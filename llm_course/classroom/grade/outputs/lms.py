"""Grades in the layouts that two common learning management systems import.

Both systems know a student by an identifier of their own. Give the file that the system itself
exports, and its identifiers are taken over; without it the student's id of the course is written.
A student without a grade keeps an empty cell, which both systems leave as it is.
"""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence

from llm_course.classroom.grade.outputs.plain_text import number
from llm_course.classroom.grade.outputs.tables import rows_as_csv
from llm_course.classroom.grade.records.class_grades import ClassGrades
from llm_course.errors import CourseError

MOODLE = (
    "Identifier",
    "Full name",
    "Grade",
    "Maximum Grade",
    "Feedback comments",
    "Last modified (grade)",
)
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")

# The columns by which an exported file names a student, the surest first; the last is the name.
MOODLE_NAMES = ("ID number", "Username", "Email address", "Full name")
CANVAS_NAMES = ("SIS Login ID", "SIS User ID", "ID", "Student")


def moodle(grades: ClassGrades, chapter: str, worksheet: str = "") -> str:
    """One chapter as a grading worksheet of Moodle's assignment activity.

    Moodle finds the columns by their names and a student by the number at the end of
    ``Participant 123``, which differs from assignment to assignment: download the worksheet of the
    assignment and give its text. It refuses a file without ``Last modified (grade)``; taken over
    from the worksheet, it keeps a grade that was changed meanwhile from being overwritten.

    Args:
        grades: the class.
        chapter: the chapter that the assignment is about.
        worksheet: the text of the worksheet that Moodle offers for download. Its students are
            found by ID number, user name, email address, what stands before the @ of it, or name.

    Raises:
        CourseError: the worksheet is no export of Moodle.

    Source:
        Moodle documentation, Assignment settings, *Feedback types: Offline grading worksheet*,
        https://docs.moodle.org/en/Assignment_settings; the columns that an import needs:
        mod/assign/feedback/offline/importgradeslib.php in Moodle's source.
    """
    found = _matched(grades, worksheet)
    rows: list[Sequence[str | float | None]] = [MOODLE]
    for student in grades.students:
        row = found.get(student, {})
        rows.append(
            (
                row.get("Identifier") or student,
                row.get("Full name") or grades.name(student),
                _grade(grades, student, chapter),
                grades.max_points.get(chapter, 0.0),
                _comment(grades, student, chapter),
                row.get("Last modified (grade)", "").strip("-"),
            )
        )
    return rows_as_csv(rows)


def canvas(grades: ClassGrades, assignments: Mapping[str, str], exported: str = "") -> str:
    """Chapters as a gradebook file of Canvas: one column each, and the row of points possible.

    Canvas finds a student by ID, else by SIS user ID, else by SIS login ID, else by name, and an
    assignment by the number in brackets, else by its title; an unknown title becomes a new
    assignment. Without an exported file the student's id is written as SIS login ID.

    Args:
        grades: the class.
        assignments: the heading of each chapter's column, ``Attention (1234)``.
        exported: the text of a gradebook that Canvas exported.

    Raises:
        CourseError: the exported file is no export of Canvas.

    Source:
        Canvas Instructor Guide, *How do I import grades in the Gradebook?*; what an import reads:
        lib/gradebook_importer.rb in Canvas's source, https://github.com/instructure/canvas-lms.
    """
    found = _matched(grades, exported)
    possible = [grades.max_points.get(chapter, 0.0) for chapter in assignments]
    rows: list[Sequence[str | float | None]] = [
        (*CANVAS, *assignments.values()),
        ("    Points Possible", "", "", "", "", *possible),
    ]
    for student in grades.students:
        own = {"Student": grades.name(student), "SIS Login ID": student}
        who = [found.get(student, own).get(column, "") for column in CANVAS]
        rows.append((*who, *(_grade(grades, student, chapter) for chapter in assignments)))
    return rows_as_csv(rows)


def unmatched(grades: ClassGrades, exported: str) -> list[str]:
    """The students that an exported file does not know: an import would leave them out.

    Raises:
        CourseError: the file is no export of either system.
    """
    found = _matched(grades, exported)
    return [student for student in grades.students if student not in found]


def _grade(grades: ClassGrades, student: str, chapter: str) -> float | None:
    """The grade, None when there is none (yet)."""
    total = grades.totals.get((student, chapter))
    return None if total is None or total.to_regrade else total.points


def _comment(grades: ClassGrades, student: str, chapter: str) -> str:
    """What the student reads beside the grade: each exercise's points and the late penalty."""
    total = grades.totals.get((student, chapter))
    if total is None:
        return ""
    if total.to_regrade:
        return "The grading itself failed. Your work will be graded again."
    told = [
        f"{question.grade_id}: {number(question.points)} of {number(question.max_points)}"
        for report in total.reports
        for question in report.questions
    ]
    if total.penalty:
        told.append(f"handed in late: {number(-total.penalty)}")
    return "; ".join(told)


def _matched(grades: ClassGrades, exported: str) -> dict[str, dict[str, str]]:
    """Each student's row of an exported file; no row where two would fit."""
    if not exported.strip():
        return {}
    reader = csv.DictReader(io.StringIO(exported.removeprefix("\ufeff")), restval="")
    fields = reader.fieldnames or ()
    if "Identifier" not in fields and "ID" not in fields:
        raise CourseError(
            f"exported file: expected a column Identifier or ID, got {', '.join(fields)[:200]!r}. "
            "Fix: give the file that the learning management system offers for download."
        )
    *ids, name = MOODLE_NAMES if "Identifier" in fields else CANVAS_NAMES
    rows = list(reader)
    by_id = [index for column in ids for index in _indices(rows, column)]
    (by_name, *_) = _indices(rows, name)
    found = {}
    for student in grades.students:
        keys = [(index, student) for index in by_id] + [(by_name, grades.name(student))]
        row = next((index[key] for index, key in keys if key in index), None)
        if row is not None:
            found[student] = row
    return found


def _indices(rows: Sequence[dict[str, str]], column: str) -> list[dict[str, dict[str, str]]]:
    """The rows by what stands in a column, and by what stands before the @ of it."""
    made = []
    for text in (str, lambda value: str(value).partition("@")[0]):
        names = [text(row.get(column, "")).strip() for row in rows]
        count = Counter(names)
        made.append({n: row for n, row in zip(names, rows, strict=True) if n and count[n] == 1})
    return made
