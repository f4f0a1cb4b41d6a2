"""A failed cell, told so that its author can go there: notebook, label, line, traceback."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from llm_course.classroom.cells import grade_id, line_of
from llm_course.classroom.course import Notebook

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_RULE = re.compile(r"-{20,}")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)
_IN_CELL = re.compile(r"Cell In\[\d+\], line (\d+)")
_LONGEST = 40


@dataclass(frozen=True)
class Failure:
    """Why a notebook stopped.

    Attributes:
        notebook: its key.
        label: the failed cell's grade id, else the heading it stands under.
        path: the chapter, relative to the repository.
        line: the line of the chapter that failed.
        error: the exception's name and message.
        traceback: the frames, without colours.

    >>> print(Failure("07_a/b", "Build it", "solutions/07_a/b.md", 9, "ValueError: no", "frames"))
    07_a/b: failed at “Build it”
      solutions/07_a/b.md:9: ValueError: no
      │ frames
    """

    notebook: str
    label: str
    path: str
    line: int
    error: str
    traceback: str = ""

    @property
    def mendable(self) -> str:
        """The message, if it is one that a user can mend (a `CourseError`), else ""."""
        kind, _, message = self.error.partition(": ")
        return message.splitlines()[0] if kind == "CourseError" and message else ""

    def __str__(self) -> str:
        if self.mendable:
            return f"error: {self.notebook}: {self.mendable}"
        head = [f"{self.notebook}: failed at “{self.label}”"]
        head.append(f"  {self.path}:{self.line}: {self.error.splitlines()[0]}")
        return "\n".join(head + [f"  │ {line}" for line in self.traceback.splitlines()])


def explain(
    notebook: Notebook,
    authored: NotebookNode,
    root: Path,
    *,
    cell_id: str | None,
    error: str,
    traceback: Sequence[str] = (),
) -> Failure:
    """The failure of one cell in the words of the chapter.

    Args:
        notebook: the chapter.
        authored: the same, as it was read.
        root: the repository, which paths are shown relative to.
        cell_id: the cell that ran, None when none had started.
        error: the exception's name and message.
        traceback: what IPython printed of it.
    """
    text = clean("\n".join(traceback), root)
    ids = [cell.id for cell in authored.cells]
    index = ids.index(cell_id) if cell_id in ids else 0
    line = line_of(authored.cells[index]) if cell_id in ids else 1
    inner = _IN_CELL.findall(text)
    if inner:
        # The first such frame is in the cell that ran; a later one may be in an earlier cell.
        line += int(inner[0]) - 1
    path = notebook.path.relative_to(root).as_posix()
    label = _label(authored.cells, index) if cell_id in ids else "start"
    return Failure(notebook.key, label, path, line, error.strip() or "no message", text)


def clean(traceback: str, root: Path) -> str:
    """A traceback in plain text: no colours, no rules, the repository's files by short name.

    Long ones keep their beginning and their end.
    """
    text = _ANSI.sub("", traceback).replace(f"{root}/", "")
    lines = [line.rstrip() for line in text.splitlines()]
    lines = [line for line in lines if line and not _RULE.fullmatch(line)]
    if len(lines) > _LONGEST:
        left_out = f"… {len(lines) - _LONGEST} lines …"
        lines = [*lines[: _LONGEST // 2], left_out, *lines[-_LONGEST // 2 :]]
    return "\n".join(lines)


def _label(cells: Sequence[NotebookNode], index: int) -> str:
    """The grade id of the cell, else the nearest heading above it."""
    if grade_id(cells[index]):
        return grade_id(cells[index])
    for cell in reversed(cells[: index + 1]):
        headings = _HEADING.findall(cell.source) if cell.cell_type == "markdown" else []
        if headings:
            return headings[-1]
    return f"cell {index + 1}"
