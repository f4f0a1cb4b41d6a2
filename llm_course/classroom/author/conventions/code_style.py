"""ruff's view of a notebook's code, told by the lines of the chapter."""

import json
import subprocess
from collections.abc import Iterator

import nbformat
from nbformat import NotebookNode

from llm_course.classroom.author.conventions.chapter import Chapter
from llm_course.classroom.cells import line_of
from llm_course.classroom.problems import Problem
from llm_course.errors import CourseError

# A test cell asserts, and a demonstration's docstring is the prose before it.
IGNORED = "--extend-ignore=S101,D"


def ruff(chapter: Chapter) -> Iterator[Problem]:
    """Code is linted and formatted under the repository's own settings."""
    text = _as_notebook(chapter)
    found = json.loads(_run(chapter, "check", text, "--output-format=json", IGNORED))
    for item in found:
        # ruff counts the cells of the notebook, and the lines in a cell, from 1.
        cell, row = item.get("cell") or 1, item["location"]["row"]
        line = line_of(chapter.cells[cell - 1]) + row - 1
        yield chapter.problem(line, "ruff", f"{item['code'] or 'syntax'}: {item['message']}")
    if not any(item["code"] in (None, "invalid-syntax") for item in found):
        for cell, _ in unformatted(chapter):
            yield chapter.problem(
                cell,
                "format",
                "ruff format would change this cell. "
                "Fix: python -m llm_course.classroom.author.formatting",
            )


def unformatted(chapter: Chapter) -> Iterator[tuple[NotebookNode, str]]:
    """The cells that ``ruff format`` would change, and their source as it would be."""
    formatted = nbformat.reads(_run(chapter, "format", _as_notebook(chapter)), as_version=4)
    for before, after in zip(chapter.cells, formatted.cells, strict=True):
        if before.source != after.source:
            yield before, after.source


def _as_notebook(chapter: Chapter) -> str:
    """The chapter as ruff reads it."""
    notebook = nbformat.v4.new_notebook(
        cells=list(chapter.cells), metadata={"language_info": {"name": "python"}}
    )
    return nbformat.writes(notebook)


def _run(chapter: Chapter, command: str, text: str, *options: str) -> str:
    """ruff's standard output for a notebook given on its standard input."""
    try:
        from ruff.__main__ import find_ruff_bin
    except ImportError as error:
        raise CourseError("ruff: not installed. Fix: pip install -e '.[test]'") from error
    name = f"build/source/{chapter.notebook.key}.ipynb"
    done = subprocess.run(
        [find_ruff_bin(), command, *options, f"--stdin-filename={name}", "-"],
        cwd=chapter.root,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise CourseError(f"ruff {command}: {' '.join(done.stderr.split())}. Fix: its settings.")
    return done.stdout
