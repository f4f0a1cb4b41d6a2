"""Format the code cells of the chapters in place.

    python -m llm_course.classroom.author.formatting

Only the lines of cells that ``ruff format`` would change are written; prose is left alone.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from llm_course.classroom.author import chapter_text
from llm_course.classroom.author.conventions.chapter import Chapter
from llm_course.classroom.author.conventions.code_style import unformatted
from llm_course.classroom.cells import line_of
from llm_course.classroom.course import Notebook, find_root, notebooks, shown
from llm_course.files import atomic_write


def format_sources(root: Path, only: Sequence[str] = ()) -> list[Path]:
    """Format the chapters' code; gives those that changed.

    Args:
        root: the repository.
        only: the chapters or notebooks to format, by default all of them.

    Raises:
        CourseError: a chapter cannot be read, or its code is no Python.
    """
    return [n.path for n in notebooks(root, only) if _format(Path(root), n)]


def _format(root: Path, notebook: Notebook) -> bool:
    """Format one chapter; whether anything changed."""
    chapter = Chapter(root, notebook, tuple(chapter_text.read(notebook).cells))
    lines = notebook.path.read_text(encoding="utf-8").split("\n")
    changed = list(unformatted(chapter))
    # From the end: a cell that grows moves only what is already written.
    for cell, source in reversed(changed):
        start = line_of(cell) - 1
        lines[start : start + len(cell.source.split("\n"))] = source.split("\n")
    if changed:
        atomic_write(notebook.path, "\n".join(lines))
    return bool(changed)


if __name__ == "__main__":
    for path in format_sources(find_root(), sys.argv[1:]):
        print(f"formatted {shown(path)}")
