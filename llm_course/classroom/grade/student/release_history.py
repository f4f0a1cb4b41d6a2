"""Earlier releases of a notebook, from the history of the course's repository.

What a student changed is what differs from the release they began with. Its notebook names the
chapter's text it was made from, so the version is found again; where that is lost, the one
that is most alike is taken. Without git there is no history, and nothing is found.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from llm_course.classroom.grade.marking.matching import normalised

MOST_VERSIONS = 200
_SECONDS = 30


def committed(root: Path, key: str) -> NotebookNode | None:
    """The release as it was last committed, whatever the file on the disk holds now."""
    return next(_versions(root, key), None)


def began_with(root: Path, key: str, student: NotebookNode) -> NotebookNode | None:
    """The release that a student's notebook was made from, as far as it can be told.

    Args:
        root: the repository.
        key: the notebook's chapter and name.
        student: what the student has now.
    """
    source = _stamp(student)
    texts = cell_texts(student)
    best, most = None, 0.0
    for version in _versions(root, key):
        if source and _stamp(version) == source:
            return version
        theirs = cell_texts(version)
        alike = 2 * len(texts & theirs) / (len(texts) + len(theirs) or 1)
        if alike > most:
            best, most = version, alike
    return best


def cell_texts(notebook: NotebookNode) -> set[tuple[str, str]]:
    """The type and the text of every cell, without what editors change."""
    return {(cell.cell_type, normalised(cell.source)) for cell in notebook.cells}


def _versions(root: Path, key: str) -> Iterator[NotebookNode]:
    """The committed versions of a release, the newest first."""
    name = f"notebooks/{key}.ipynb"
    log = _git(root, "log", f"-{MOST_VERSIONS}", "--format=%H", "--", name)
    for commit in log.decode("ascii", "replace").split():
        text = _git(root, "show", f"{commit}:./{name}").decode("utf-8", "replace")
        try:
            yield nbformat.reads(text, as_version=4)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # the version in which it was removed


def _git(root: Path, *arguments: str) -> bytes:
    """What git says, empty when there is no git or no repository."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "--no-pager", *arguments],
            capture_output=True,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""


def _stamp(notebook: NotebookNode) -> str:
    """The hash of the chapter's text from which a release was made, "" when it is lost."""
    stamp = notebook.metadata.get("llm_course")
    return str(stamp.get("source", "")) if isinstance(stamp, dict) else ""
