"""The stored reports: what grading resumes from, one file a notebook of a student.

A report is the truth about a grade; the gradebook is made from it and can be made again. What was
handed in is kept beside it under its hash, as it came.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llm_course.classroom.grade.marking.report import Report, from_json, to_json
from llm_course.errors import CourseError
from llm_course.files import atomic_write


@dataclass(frozen=True)
class Store:
    """The reports and originals below a folder of grades."""

    folder: Path

    def path(self, student: str, chapter: str, notebook: str) -> Path:
        """Where a report lies."""
        return self.folder / "reports" / chapter / notebook / f"{student}.json"

    def read(self, student: str, chapter: str, notebook: str) -> Report | None:
        """A stored report, None where there is none."""
        path = self.path(student, chapter, notebook)
        return self._read(path) if path.is_file() else None

    def write(self, report: Report) -> None:
        """Store a report, whole or not at all; the same report is not written again."""
        path = self.path(report.student, report.chapter, report.notebook)
        text = to_json(report).encode("utf-8", "replace").decode("utf-8")
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            atomic_write(path, text)

    def keep(self, sha256: str, data: bytes) -> None:
        """Keep what was handed in."""
        path = self.folder / "originals" / f"{sha256}.ipynb"
        if not path.is_file():
            atomic_write(path, data)
            path.chmod(0o444)

    def all(self) -> Iterator[Report]:
        """Every stored report, in a fixed order."""
        for path in sorted((self.folder / "reports").glob("*/*/*.json")):
            yield self._read(path)

    def _read(self, path: Path) -> Report:
        """A report from its file."""
        try:
            return from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CourseError(
                f"{path}: expected a report, got {type(error).__name__}. "
                "Fix: delete the file and grade again"
            ) from error
