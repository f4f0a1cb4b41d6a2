"""Authored chapters (MyST notebooks) as Jupyter notebooks.

The text is the only source: cell ids are derived from it, so that the same text gives the same
bytes, and every cell knows its line in the text, so that an error can name it.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import nbformat
import yaml
from jupytext.myst import (
    CODE_DIRECTIVE,
    MystMetadataParsingError,
    get_parser,
    myst_to_notebook,
    parse_directive_options,
)
from nbformat import NotebookNode

from llm_course.classroom.author import colon_fences
from llm_course.classroom.author.conventions.chapter import Chapter
from llm_course.classroom.author.conventions.rules import problems
from llm_course.classroom.cells import grade_id, line_of
from llm_course.classroom.course import Notebook, notebooks, shown
from llm_course.classroom.problems import Problem
from llm_course.errors import CourseError
from llm_course.files import atomic_write

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def read(notebook: Notebook | Path | str) -> NotebookNode:
    """Read an authored chapter as a notebook.

    Each cell has a reproducible id and ``metadata.llm_course.line``, the line (from 1) of the
    chapter's text where the cell's source begins.

    Raises:
        CourseError: the file cannot be read, its YAML is broken, or a fence is not closed.
    """
    path = notebook.path if isinstance(notebook, Notebook) else Path(notebook)
    text = _text(path)
    _check_fences(text, path)
    parsed = _parsed(text, path)
    lines, starts = text.splitlines(), parsed.metadata.pop("source_map")
    for cell, start in zip(parsed.cells, starts, strict=True):
        cell.metadata["llm_course"] = {"line": _first_line(lines, start, cell.source)}
    _check_colon_fences(parsed, path)
    _identify(parsed.cells)
    return _normalised(parsed, path)


def write_sources(root: Path, out: Path | None = None, only: Sequence[str] = ()) -> list[Path]:
    """Write every chapter as ``<out>/<key>.ipynb``; the same text gives the same bytes.

    Args:
        root: the repository.
        out: the folder to write to, by default ``build/source``.
        only: the chapters or notebooks to write, by default all of them.
    """
    out = Path(out) if out else Path(root) / "build" / "source"
    written = []
    for notebook in notebooks(root, only):
        target = out / f"{notebook.key}.ipynb"
        atomic_write(target, dumps(read(notebook)))
        written.append(target)
    return written


def check(root: Path, only: Sequence[str] = ()) -> list[Problem]:
    """Every departure of the chapters from the course's conventions, by file and line.

    A chapter that cannot be read is a problem like any other, so that one check shows all.
    """
    found: list[Problem] = []
    for notebook in notebooks(root, only):
        try:
            parsed = read(notebook)
        except CourseError as error:
            line = re.search(r"\.md:(\d+): ", str(error))
            number = int(line[1]) if line else 1
            found.append(Problem(shown(notebook.path), number, "unreadable", str(error)))
            continue
        front_matter = dict(parsed.metadata["llm_course"])
        found += problems(Chapter(Path(root), notebook, tuple(parsed.cells), front_matter))
    return found


def dumps(notebook: NotebookNode) -> str:
    """A notebook as text: valid, keys sorted, a newline at the end.

    >>> dumps(nbformat.v4.new_notebook()).splitlines()[1]
    ' "cells": [],'
    """
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def _text(path: Path) -> str:
    """The chapter's text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(
            f"{shown(path)}: expected a chapter as UTF-8 text, got {error}. "
            "Fix: restore the file with git checkout."
        ) from error


def _broken(path: Path, line: int, what: str) -> CourseError:
    """The error for text that cannot become a notebook."""
    return CourseError(f"{shown(path)}:{line}: {what}. Fix: mend that line of the chapter.")


def _parsed(text: str, path: Path) -> NotebookNode:
    """jupytext's reading of the text; what it refuses is in the front matter or a ``+++``."""
    try:
        return myst_to_notebook(text, add_source_map=True)
    except (MystMetadataParsingError, yaml.YAMLError) as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else 1
        raise _broken(path, line, f"broken YAML: {_reason(error)}") from error
    except (AttributeError, TypeError, ValueError, nbformat.ValidationError) as error:
        reason = str(error).split("\n")[0]
        raise _broken(path, 1, f"the front matter is no mapping: {reason}") from error


def _check_fences(text: str, path: Path) -> None:
    """Every backtick fence is closed, and a code cell's options are a mapping in YAML."""
    lines = [*text.splitlines(), "", ""]
    for token in get_parser().parse(text + "\n"):
        if token.type != "fence" or token.level:
            continue
        line, last = token.map[0] + 1, lines[token.map[1] - 1].strip()
        closed = re.fullmatch(re.escape(token.markup[0]) + f"{{{len(token.markup)},}}", last)
        # A fence left open ends at the next one that is closed, and swallows its first line.
        if not closed or line == token.map[1] or f"\n{token.markup}{{" in token.content:
            raise _broken(path, line, f"the fence {token.markup} is not closed")
        if token.info.startswith(CODE_DIRECTIVE):
            _check_options(token.content, path, line)


def _check_options(content: str, path: Path, line: int) -> None:
    """The options at the top of a code cell, which begins at `line`."""
    try:
        _, options = parse_directive_options(content, "")
    except (MystMetadataParsingError, yaml.YAMLError) as error:
        raise _broken(path, line, f"broken YAML: {_reason(error)}") from error
    if not isinstance(options, dict):
        raise _broken(path, line, f"expected options like tags: [predict], got {options!r}")


def _reason(error: Exception) -> str:
    """An error of the YAML parser in one line."""
    return " ".join(str(error).split("Invalid YAML;")[-1].split())


def _check_colon_fences(notebook: NotebookNode, path: Path) -> None:
    """Every colon fence must be closed in its own cell."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            try:
                colon_fences.parse(cell.source)
            except colon_fences.FenceError as error:
                raise _broken(path, line_of(cell) + error.line - 1, str(error)) from error


def _first_line(lines: list[str], start: int, source: str) -> int:
    """The line, from 1, at which `source` stands at or after index `start`."""
    wanted = source.split("\n")
    for index in range(start, len(lines) - len(wanted) + 1):
        if [line.rstrip() for line in lines[index : index + len(wanted)]] == [
            line.rstrip() for line in wanted
        ]:
            return index + 1
    return start + 1


def _identify(cells: Sequence[NotebookNode]) -> None:
    """Give each cell its grade id as id, else a hash of its type, source and occurrence.

    An insertion therefore moves no other cell's id.
    """
    seen: Counter[str] = Counter()
    for cell in cells:
        wanted = grade_id(cell)
        if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", wanted) and not seen[wanted]:
            seen[wanted] += 1
            cell.id = wanted
            continue
        content = f"{cell.cell_type}\n{cell.source}"
        seen[content] += 1
        cell.id = hashlib.sha256(f"{seen[content]}\n{content}".encode()).hexdigest()[:12]


def _normalised(parsed: NotebookNode, path: Path) -> NotebookNode:
    """The notebook with the course's kernel and only the metadata that the course uses."""
    course = parsed.metadata.get("llm_course")
    course = dict(course) if isinstance(course, dict) else {}
    course["path"] = shown(path)
    parsed.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}, "llm_course": course}
    )
    parsed.nbformat, parsed.nbformat_minor = 4, 5
    return parsed
