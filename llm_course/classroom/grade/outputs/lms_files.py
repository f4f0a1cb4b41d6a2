"""The exports for learning platforms, written from grades and from what the platform exported."""

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llm_course.classroom.grade.outputs import lms
from llm_course.classroom.grade.records.class_grades import ClassGrades
from llm_course.errors import CourseError
from llm_course.files import atomic_write

FOLDER = "export"


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The texts that platforms exported: Moodle's worksheets by chapter, and Canvas's gradebook."""

    moodle: Mapping[str, str] = field(default_factory=dict)
    canvas: str = ""


def read_exported(
    moodle: Sequence[str], canvas: Path | None, chapters: Collection[str]
) -> Exported:
    """Read what an instructor downloaded from the platform.

    Args:
        moodle: ``CHAPTER=FILE`` for each grading worksheet.
        canvas: the exported gradebook.
        chapters: the chapters that there are.

    Raises:
        CourseError: a file cannot be read, or a chapter is unknown.
    """
    worksheets = {}
    for text in moodle:
        chapter, _, name = text.partition("=")
        if chapter not in chapters or not name:
            raise CourseError(
                f"Moodle's worksheet: expected CHAPTER=FILE with one of the chapters "
                f"{', '.join(sorted(chapters))}, got {text!r}. Fix: write it so"
            )
        worksheets[chapter] = _read(Path(name))
    return Exported(moodle=worksheets, canvas=_read(canvas) if canvas else "")


def write_exports(
    out: Path, grades: ClassGrades, exported: Exported | None = None
) -> tuple[list[Path], list[str]]:
    """Write a file for each platform; also sentences about students a platform does not know.

    Raises:
        CourseError: what was exported is no export of that platform.
    """
    exported = exported or Exported()
    texts = {
        f"moodle-{chapter}.csv": lms.moodle(grades, chapter, exported.moodle.get(chapter, ""))
        for chapter in grades.chapters
    }
    columns = {chapter: _heading(exported.canvas, chapter) for chapter in grades.chapters}
    texts["canvas.csv"] = lms.canvas(grades, columns, exported.canvas)
    known = {f"moodle-{chapter}.csv": text for chapter, text in exported.moodle.items()}
    known |= {"canvas.csv": exported.canvas} if exported.canvas else {}
    told = []
    for name, text in known.items():
        if missing := lms.unmatched(grades, text):
            told.append(
                f"{FOLDER}/{name}: the platform's export does not name {', '.join(missing)}; "
                "an import leaves them out."
            )
    for name, text in texts.items():
        atomic_write(out / FOLDER / name, text)
    return [out / FOLDER / name for name in texts], told


def _heading(canvas: str, chapter: str) -> str:
    """A chapter's column in Canvas: ``07_attention (1234)`` where the export has such a one."""
    first = next(csv.reader(canvas.splitlines()), [])
    return next((name for name in first if name.partition(" (")[0].strip() == chapter), chapter)


def _read(path: Path) -> str:
    """The text of a downloaded file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(
            f"{path}: expected a CSV file in UTF-8 that the platform exported, got "
            f"{type(error).__name__}. Fix: download it again"
        ) from error
