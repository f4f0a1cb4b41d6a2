"""The feedback that a student gets: one page of HTML, complete in itself and never large.

What went well and what failed, exercise by exercise, with the code that was graded. A page that
would be too large shows less of each thing, in steps, down to the points alone.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from llm_course.classroom.grade.marking.report import Report
from llm_course.classroom.grade.outputs import html_page
from llm_course.classroom.grade.outputs.feedback_view import Limits, expected_size, view
from llm_course.classroom.grade.outputs.wording import is_address
from llm_course.classroom.grade.records.class_grades import ClassGrades, Penalties
from llm_course.classroom.grade.records.override import Override
from llm_course.errors import CourseError
from llm_course.files import atomic_write

LARGEST = 300_000  # bytes

STEPS = (
    Limits(),
    Limits(code=4000, solved_code=False, output=800, outputs=8, tests=10, faults=5),
    Limits(code=1500, solved_code=False, message=800, output=200, outputs=4, tests=6, faults=4),
    Limits(code=0, message=300, output=0, outputs=0, questions=120, tests=4, faults=3),
    Limits(code=0, message=60, output=0, outputs=0, questions=30, tests=3, faults=1, reports=12),
)


def render_feedback(
    student: str,
    reports: Sequence[Report],
    *,
    roster: Mapping[str, str] | None = None,
    penalties: Penalties | None = None,
    overrides: Sequence[Override] = (),
    book: str = "",
    titles: Mapping[str, str] | None = None,
) -> str:
    """The page of one student.

    Args:
        student: whose page it is; nobody else's report is shown on it.
        reports: reports of the class or of the student alone. From those of the class the points
            of a notebook that the student did not hand in are known.
        roster: display names by student.
        penalties: points deducted for being late, by student and chapter.
        overrides: points that were set by hand, with their reasons.
        book: where the book is published, for links to its sections.
        titles: titles of notebooks by key, ``07_attention/self_attention``.

    Raises:
        CourseError: `book` is no address of a web page, or a penalty is negative.
    """
    grades = ClassGrades(reports, roster or {}, penalties or {}, overrides)
    return feedback_page(student, grades, book=book, titles=titles)


def feedback_page(
    student: str, grades: ClassGrades, *, book: str = "", titles: Mapping[str, str] | None = None
) -> str:
    """The same for grades that are summed already: for a class, sum them once.

    Raises:
        CourseError: `book` is no address of a web page.
    """
    if book and not is_address(book):
        raise CourseError(
            f"book: expected an address such as https://example.org/course, got {book!r}. "
            "Fix: give the address at which students read the book, or none."
        )
    own, page = [report for total in grades.of(student) for report in total.reports], ""
    for limits in STEPS:
        if limits is not STEPS[-1] and expected_size(own, limits) > LARGEST:
            continue
        values = view(student, grades, limits, book, titles or {})
        page = html_page.render("feedback.html.j2", **values)
        if len(page.encode()) <= LARGEST:
            break
    return page


def write_feedback(folder: Path, student: str, page: str) -> Path:
    """Write a student's page into `folder`, whole or not at all, and give its path.

    Raises:
        CourseError: the disk is full or the folder cannot be written.
    """
    path = Path(folder) / file_name(student)
    atomic_write(path, page)
    return path


def file_name(student: str) -> str:
    """A file name that no other student has, whatever the id holds.

    >>> file_name("ada"), file_name("../ada")
    ('ada.html', 'ada-60088279.html')
    """
    kept = re.sub(r"[^A-Za-z0-9._@-]+", "-", student).strip(".-")[:60]
    if kept and kept == student == student.lower() and not re.search(r"-[0-9a-f]{8}$", kept):
        return f"{kept}.html"
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{kept or 'student'}-{digest}.html"
