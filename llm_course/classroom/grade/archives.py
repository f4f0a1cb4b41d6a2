"""The files of a folder or a zip, read and never unpacked to disk.

A zip may hold zips, one level deep. Names are text here and nothing else: none is ever used to
write. Sizes, counts and ratios are limited, so that a small file cannot become a large one.
"""

import io
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from llm_course.classroom.grade.read_notebook import LARGEST_FILE

MOST_FILES = 20_000
LARGEST_TOTAL = 2 * 2**30  # bytes of all members of one zip
DEEPEST = 2  # a zip in a zip
_IGNORED = {"__MACOSX", ".ipynb_checkpoints", "__pycache__"}


@dataclass
class Files:
    """The notebooks below a path, and sentences about what could not be read.

    >>> Files(Path("/nowhere/at/all")).found()
    []
    """

    path: Path
    problems: list[str] = field(default_factory=list)

    def found(self) -> list[tuple[PurePosixPath, bytes]]:
        """Every notebook with its name relative to the path, in a fixed order."""
        files = (
            self._zip(self.path.read_bytes(), PurePosixPath())
            if self.path.is_file()
            else (self._folder())
        )
        return sorted(files, key=lambda file: file[0].as_posix())

    def _folder(self) -> Iterator[tuple[PurePosixPath, bytes]]:
        """The notebooks below a folder; links are not followed."""
        for path in sorted(self.path.rglob("*")):
            name = PurePosixPath(path.relative_to(self.path).as_posix())
            if _is_ignored(name) or path.is_symlink() or not path.is_file():
                continue
            if any(parent.is_symlink() for parent in path.parents if parent != self.path):
                continue
            try:
                if path.stat().st_size > LARGEST_FILE and path.suffix.lower() == ".ipynb":
                    yield name, b" " * (LARGEST_FILE + 1)  # its report says that it is too large
                elif path.suffix.lower() == ".ipynb":
                    yield name, path.read_bytes()
                elif path.suffix.lower() == ".zip":
                    yield from self._zip(path.read_bytes(), name.with_suffix(""))
            except OSError as error:
                self.problems.append(f"{name}: cannot be read ({error.strerror}).")

    def _zip(
        self, data: bytes, inside: PurePosixPath, depth: int = 1
    ) -> Iterator[tuple[PurePosixPath, bytes]]:
        """The notebooks in a zip."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = archive.infolist()
                if len(members) > MOST_FILES or sum(m.file_size for m in members) > LARGEST_TOTAL:
                    self.problems.append(f"{inside}: holds too much for a zip of notebooks.")
                    return
                for member in members:
                    yield from self._member(archive, member, inside, depth)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
            self.problems.append(f"{inside}: expected a zip, got {type(error).__name__}.")

    def _member(
        self,
        archive: zipfile.ZipFile,
        member: zipfile.ZipInfo,
        inside: PurePosixPath,
        depth: int,
    ) -> Iterator[tuple[PurePosixPath, bytes]]:
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
        if kind == ".ipynb":
            yield name, content
        elif depth < DEEPEST:
            yield from self._zip(content, name.with_suffix(""), depth + 1)
        else:
            self.problems.append(f"{name}: is a zip too deep inside others.")


def _is_ignored(name: PurePosixPath) -> bool:
    """Whether a file belongs to an editor or a system."""
    return any(part in _IGNORED or part.startswith(".") for part in name.parts)
