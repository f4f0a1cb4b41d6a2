"""The files of a folder or a zip, read and never unpacked to disk.

A zip may hold zips, one level deep. Names are text here and nothing else: none is ever used to
write. Sizes, counts and ratios are limited, so that a small file cannot become a large one.

When a notebook was handed in is what the outermost container says: a file's time, or a member's in
the platform's zip. A zip that a student packed could hold any time, so its own time counts.
nbgrader's ``timestamp.txt`` is read where nbgrader puts it, ``student/chapter/`` of a folder.
"""

import io
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from nbgrader.utils import parse_utc

from llm_course.classroom.grade.marking.read_notebook import LARGEST_FILE

MOST_FILES = 20_000
LARGEST_TOTAL = 2 * 2**30  # bytes of all members of one zip
DEEPEST = 2  # a zip in a zip
_IGNORED = {"__MACOSX", ".ipynb_checkpoints", "__pycache__"}


class File(NamedTuple):
    """A notebook's name relative to the path, its bytes, and when it was handed in."""

    name: PurePosixPath
    data: bytes
    handed_in: datetime


@dataclass
class Files:
    """The notebooks below a path, and sentences about what could not be read.

    >>> Files(Path("/nowhere/at/all")).found()
    []
    """

    path: Path
    problems: list[str] = field(default_factory=list)

    def found(self) -> list[File]:
        """Every notebook, in a fixed order."""
        files = (
            self._zip(self.path.read_bytes(), PurePosixPath())
            if self.path.is_file()
            else (self._folder())
        )
        return sorted(files, key=lambda file: file.name.as_posix())

    def _folder(self) -> Iterator[File]:
        """The notebooks below a folder; links are not followed."""
        for path in sorted(self.path.rglob("*")):
            name = PurePosixPath(path.relative_to(self.path).as_posix())
            wanted = path.suffix.lower() in (".ipynb", ".zip")
            if not wanted or _is_ignored(name) or path.is_symlink() or not path.is_file():
                continue
            if any(parent.is_symlink() for parent in path.parents if parent != self.path):
                continue
            try:
                when = self._handed_in(path, name)
                if path.stat().st_size > LARGEST_FILE and path.suffix.lower() == ".ipynb":
                    too_large = b" " * (LARGEST_FILE + 1)  # its report says so
                    yield File(name, too_large, when)
                elif path.suffix.lower() == ".ipynb":
                    yield File(name, path.read_bytes(), when)
                else:
                    yield from self._zip(path.read_bytes(), name.with_suffix(""), when)
            except OSError as error:
                self.problems.append(f"{name}: cannot be read ({error.strerror}).")

    def _handed_in(self, path: Path, name: PurePosixPath) -> datetime:
        """When a file of a folder was handed in: nbgrader's stamp, or the file's own time."""
        stamp = path.parent / "timestamp.txt"
        if len(name.parts) == 3 and stamp.is_file() and not stamp.is_symlink():
            try:
                return parse_utc(stamp.read_text(encoding="utf-8").strip()).replace(tzinfo=UTC)
            except (ValueError, OverflowError, UnicodeDecodeError):
                self.problems.append(
                    f"{name.parent}/timestamp.txt: expected a date and time; the file's own counts."
                )
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)

    def _zip(
        self, data: bytes, inside: PurePosixPath, when: datetime | None = None, depth: int = 1
    ) -> Iterator[File]:
        """The notebooks in a zip, handed in at `when`, or else when each member says."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = archive.infolist()
                if len(members) > MOST_FILES or sum(m.file_size for m in members) > LARGEST_TOTAL:
                    self.problems.append(f"{inside}: holds too much for a zip of notebooks.")
                    return
                for member in members:
                    yield from self._member(archive, member, inside, when, depth)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
            self.problems.append(f"{inside}: expected a zip, got {type(error).__name__}.")

    def _member(
        self,
        archive: zipfile.ZipFile,
        member: zipfile.ZipInfo,
        inside: PurePosixPath,
        when: datetime | None,
        depth: int,
    ) -> Iterator[File]:
        """What one member of a zip holds."""
        parts = [p for p in member.filename.replace("\\", "/").split("/") if p not in ("", ".")]
        name = inside.joinpath(*(part for part in parts if part != ".."))
        kind = PurePosixPath(member.filename).suffix.lower()
        link = stat.S_ISLNK(member.external_attr >> 16)
        if member.is_dir() or link or not parts or _is_ignored(name):
            return
        if kind not in (".ipynb", ".zip"):
            return
        try:
            with archive.open(member) as file:
                content = file.read(LARGEST_FILE + 1 if kind == ".ipynb" else LARGEST_TOTAL)
        except (zipfile.BadZipFile, RuntimeError, OSError, EOFError, NotImplementedError) as error:
            self.problems.append(f"{name}: cannot be read ({type(error).__name__}).")
            return
        when = when or _member_time(member)
        if kind == ".ipynb":
            yield File(name, content, when)
        elif depth < DEEPEST:
            yield from self._zip(content, name.with_suffix(""), when, depth + 1)
        else:
            self.problems.append(f"{name}: is a zip too deep inside others.")


def _member_time(member: zipfile.ZipInfo) -> datetime:
    """The time of a zip's member; zips hold local time."""
    try:
        return datetime(*member.date_time).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime(1980, 1, 1, tzinfo=UTC)  # what zips begin with; it is never late


def _is_ignored(name: PurePosixPath) -> bool:
    """Whether a file belongs to an editor or a system."""
    return any(part in _IGNORED or part.startswith(".") for part in name.parts)
