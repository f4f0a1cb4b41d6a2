"""nbgrader's gradebook, filled from reports: its exports and its formgrader show these grades.

Only one process writes (`lock`). Each report is one transaction, and the same report can be entered
any number of times. Points that an instructor set by hand are never changed.
"""

import sqlite3
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy.exc import SAWarning

from llm_course.classroom.grade.marking.assignment import Assignment
from llm_course.classroom.grade.marking.report import Report
from llm_course.classroom.grade.records.override import Override
from llm_course.classroom.release.nbgrader_settings import COURSE_ID, programs_on_path
from llm_course.errors import CourseError

FILE = "gradebook.db"
BACKUPS = "backups"
KEPT = 10


@contextmanager
def opened(folder: Path) -> Iterator[Gradebook]:
    """The gradebook of a folder of grades, made if there is none.

    Raises:
        CourseError: the file is damaged.
    """
    path = folder / FILE
    check(path)
    with at(f"sqlite:///{path}") as gradebook:
        yield gradebook


@contextmanager
def at(url: str) -> Iterator[Gradebook]:
    """The gradebook at an address of a database."""
    with programs_on_path():
        gradebook = Gradebook(url, COURSE_ID)
    try:
        yield gradebook
    finally:
        gradebook.close()


def check(path: Path) -> None:
    """Refuse a damaged gradebook.

    Raises:
        CourseError: it is damaged; the message names the newest backup that is whole.
    """
    if not path.is_file() or _is_whole(path):
        return
    whole = [p for p in sorted((path.parent / BACKUPS).glob("*.db"), reverse=True) if _is_whole(p)]
    fix = f"cp {whole[0]} {path}" if whole else f"delete it; grades come back from {path.parent}"
    raise CourseError(f"{path}: expected nbgrader's gradebook, got a damaged file. Fix: {fix}")


def back_up(folder: Path) -> Path | None:
    """A copy of the gradebook as it is now; the last ten are kept."""
    path = folder / FILE
    if not path.is_file():
        return None
    check(path)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    target = folder / BACKUPS / f"gradebook-{stamp}.db"
    target.parent.mkdir(exist_ok=True)
    temporary = target.with_suffix(".tmp")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(temporary)) as copy:
        source.backup(copy)
    temporary.rename(target)
    for old in sorted(target.parent.glob("gradebook-*.db"))[:-KEPT]:
        old.unlink()
    return target


def prepare(
    gradebook: Gradebook,
    assignments: Sequence[Assignment],
    due: Mapping[str, datetime] | None = None,
) -> None:
    """Enter chapters, notebooks and test cells; what is there already stays.

    Args:
        gradebook: nbgrader's gradebook.
        assignments: what was asked.
        due: due dates by chapter, with their zone; a chapter without one keeps what it has.
    """
    for given in assignments:
        date = (due or {}).get(given.chapter)
        fields = {"duedate": _as_utc(date)} if date else {}
        gradebook.update_or_create_assignment(given.chapter, **fields)
        gradebook.update_or_create_notebook(given.name, given.chapter)
        for question in given.questions:
            gradebook.update_or_create_solution_cell(question.grade_id, given.name, given.chapter)
            for test in question.tests:
                gradebook.update_or_create_grade_cell(
                    test.grade_id,
                    given.name,
                    given.chapter,
                    max_score=test.points,
                    cell_type="code",
                )


def enter(gradebook: Gradebook, report: Report, handed_in: datetime | None = None) -> bool:
    """Enter a report's points, in one transaction; whether anything changed.

    Args:
        gradebook: nbgrader's gradebook, prepared for the report's assignment.
        report: the report; one of a grader's fault is not entered.
        handed_in: when the notebook was handed in, with its zone, for late penalties.
    """
    if report.status != "graded":
        return False
    before = _scores(gradebook, report)
    wanted = {test.grade_id: test.points for q in report.questions for test in q.tests}
    if before == wanted and handed_in is None:
        return False
    try:
        gradebook.find_student(report.student)
    except MissingEntry:
        gradebook.add_student(report.student)
    fields = {"timestamp": _as_utc(handed_in)} if handed_in else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader's own way of adding objects
        submission = gradebook.update_or_create_submission(report.chapter, report.student, **fields)
    for grade in _grades(gradebook, submission, report):
        grade.auto_score = wanted.get(grade.cell.name, 0.0)
        grade.needs_manual_grade = False
    gradebook.db.commit()
    return before != wanted


def apply_overrides(gradebook: Gradebook, overrides: Iterable[Override]) -> None:
    """Set the points of overridden exercises by hand, as nbgrader's formgrader does.

    The points go to the tests of the exercise in order, as much as each can give; a bonus goes to
    the last one.
    """
    for override in overrides:
        cells = _cells_of(gradebook, override)
        left = override.points
        for number, (grade, cell) in enumerate(cells):
            last = number == len(cells) - 1
            part = left if last else min(left, float(cell.max_score))
            grade.manual_score, left = part, left - part
        gradebook.db.commit()


def _as_utc(when: datetime) -> datetime:
    """A time as nbgrader's database holds it: in UTC, without saying so."""
    return when.astimezone(UTC).replace(tzinfo=None)


def _scores(gradebook: Gradebook, report: Report) -> dict[str, float | None]:
    """The automatic scores that are entered for a report's notebook."""
    try:
        submission = gradebook.find_submission(report.chapter, report.student)
    except MissingEntry:
        return {}
    return {
        grade.name: grade.auto_score
        for notebook in submission.notebooks
        if notebook.name == report.notebook
        for grade in notebook.grades
    }


def _grades(gradebook: Gradebook, submission: SubmittedAssignment, report: Report) -> list[Grade]:
    """The grades of a report's notebook; what a chapter gained later is added.

    nbgrader makes them when a student is first entered, and never again.
    """
    asked, database = gradebook.find_notebook(report.notebook, report.chapter), gradebook.db
    notebook = next((n for n in submission.notebooks if n.name == report.notebook), None)
    if notebook is None:
        notebook = SubmittedNotebook(notebook_id=asked.id, assignment_id=submission.id)
        database.add(notebook)
        database.flush()
    graded = {grade.cell_id for grade in notebook.grades}
    commented = {comment.cell_id for comment in notebook.comments}
    missing: list[Grade | Comment] = [
        Grade(cell_id=cell.id, notebook_id=notebook.id)
        for cell in asked.grade_cells
        if cell.id not in graded
    ]
    missing += [
        Comment(cell_id=cell.id, notebook_id=notebook.id)
        for cell in asked.solution_cells
        if cell.id not in commented
    ]
    if missing:
        database.add_all(missing)
        database.flush()
        database.refresh(notebook)
    return list(notebook.grades)


def _cells_of(gradebook: Gradebook, override: Override) -> list[tuple[Grade, GradeCell]]:
    """The grades of the tests that follow an exercise: ``test-07-1-…`` for ``ex-07-1-…``."""
    try:
        submission = gradebook.find_submission(override.chapter, override.student)
    except MissingEntry:
        return []
    stem = override.exercise.removeprefix("ex-")
    found = [
        (grade, grade.cell)
        for notebook in submission.notebooks
        for grade in notebook.grades
        if grade.name.removeprefix("test-").removesuffix("-hidden") == stem
    ]
    return sorted(found, key=lambda pair: pair[0].name)


def _is_whole(path: Path) -> bool:
    """Whether a file is an undamaged SQLite database."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        return False
