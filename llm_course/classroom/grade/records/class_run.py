"""Grading a folder of submissions from beginning to end, and writing all that comes out of it."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import llm_course
from llm_course.classroom.course import notebooks
from llm_course.classroom.grade.intake.collect import collect
from llm_course.classroom.grade.marking import examiner
from llm_course.classroom.grade.marking.assignment import Assignment
from llm_course.classroom.grade.outputs import tables
from llm_course.classroom.grade.outputs.feedback import feedback_page, write_feedback
from llm_course.classroom.grade.outputs.items_page import render_items
from llm_course.classroom.grade.outputs.lms_files import Exported, write_exports
from llm_course.classroom.grade.outputs.similarity import alike, as_csv, package_sources
from llm_course.classroom.grade.records import override as manual
from llm_course.classroom.grade.records.batch import Graded, grade_all
from llm_course.classroom.grade.records.class_grades import ClassGrades
from llm_course.classroom.grade.records.override import Override
from llm_course.classroom.grade.walls.sandbox import require_bubblewrap
from llm_course.errors import CourseError
from llm_course.files import atomic_write

OVERRIDES = "overrides.json"

Known = Mapping[str, tuple[Assignment, Mapping[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class ClassRun:
    """What a run made: the grades, sentences about what was not graded, and the files."""

    graded: Graded
    grades: ClassGrades
    problems: tuple[str, ...]
    files: tuple[Path, ...]


def known_assignments(
    root: Path, only: Sequence[str] = (), private_tests: Path | None = None
) -> Known:
    """The assignments of the course by key, each with the specification that names it in jobs.

    Raises:
        CourseError: a name is unknown, or `private_tests` is no folder.
    """
    if private_tests is not None and not private_tests.is_dir():
        raise CourseError(
            f"{private_tests}: expected a folder of private tests. Fix: correct its name"
        )
    specs = {
        notebook.key: examiner.chapter_spec(root, notebook.key, private_tests)
        for notebook in notebooks(root, only)
    }
    return {key: (examiner.load(spec), spec) for key, spec in specs.items()}


def grade_class(
    known: Known,
    submissions: Path,
    out: Path,
    *,
    roster: Path | None = None,
    book: str = "",
    exported: Exported | None = None,
    **options: Any,
) -> ClassRun:
    """Grade what was handed in, and write tables, exports, feedback and the item analysis.

    Args:
        known: the assignments (`known_assignments`).
        submissions: a folder or a zip.
        out: the folder of grades.
        roster: a CSV file with the columns ``id`` and ``name``.
        book: where students read the book, for links.
        exported: what learning platforms exported, for their identifiers.
        options: how to grade: those of `batch.grade_all`.

    Raises:
        CourseError: bubblewrap is missing, the submissions or the roster cannot be read, or another
            grader is at work in `out`.
    """
    require_bubblewrap()
    found = collect(submissions, [given for given, _ in known.values()])
    names = read_roster(roster) if roster else {}
    overrides = read_overrides(out)
    graded = grade_all(
        known,
        found.submissions,
        out,
        work=examiner.mark_job,
        overrides=overrides,
        **options,
    )
    grades = ClassGrades(graded.reports, names, graded.penalties, overrides)
    titles = {key: given.title for key, (given, _) in known.items()}
    _write_similar(out, known, graded)
    files = _write(out, grades, titles, book)
    exports, unknown = write_exports(out, grades, exported)
    mistaken = manual.problems(graded.reports, overrides)
    return ClassRun(
        graded=graded,
        grades=grades,
        problems=(*found.problems, *graded.late, *mistaken, *unknown),
        files=(*files, *exports),
    )


def read_roster(path: Path) -> dict[str, str]:
    """Display names by student.

    Raises:
        CourseError: the file cannot be read or lacks a column.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return {row["id"].strip(): row["name"].strip() for row in csv.DictReader(file)}
    except (OSError, KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise CourseError(
            f"{path}: expected a CSV file with the columns id and name, got "
            f"{type(error).__name__}: {error}. Fix: save the roster so"
        ) from error


def read_overrides(out: Path) -> list[Override]:
    """The points that were set by hand.

    Raises:
        CourseError: the file is damaged.
    """
    path = out / OVERRIDES
    try:
        return [Override(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise CourseError(
            f"{path}: expected a list of overrides, got {type(error).__name__}. Fix: mend the file"
        ) from error


def add_override(out: Path, override: Override) -> None:
    """Set the points of an exercise by hand; the next run takes them over."""
    kept = [given for given in read_overrides(out) if given.key != override.key]
    entries = [asdict(given) for given in [*kept, override]]
    atomic_write(out / OVERRIDES, json.dumps(entries, indent=1, ensure_ascii=False) + "\n")


def _write_similar(out: Path, known: Known, graded: Graded) -> None:
    """The answers that look alike."""
    stubs = {key: "\n\n".join(q.stub for q in given.questions) for key, (given, _) in known.items()}
    sources = package_sources(Path(llm_course.__file__).parent)
    atomic_write(out / "similar.csv", as_csv(alike(graded.reports, stubs, sources)))


def _write(out: Path, grades: ClassGrades, titles: Mapping[str, str], book: str) -> list[Path]:
    """Everything that instructors and students read."""
    files = list(tables.write(out, grades))
    for student in grades.students:
        page = feedback_page(student, grades, book=book, titles=titles)
        files.append(write_feedback(out / "feedback", student, page))
    atomic_write(out / "items.html", render_items(grades.graded, titles=titles))
    return [*files, out / "items.html"]
