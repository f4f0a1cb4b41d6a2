"""Student releases: the chapters without solutions and hidden tests, for plain Jupyter.

nbgrader clears and locks the cells in a course folder of its own, ``build/nbgrader``; then the
Markdown is rewritten and the notebook is stamped with the version it belongs to. The same
chapter gives the same bytes, so CI regenerates the committed releases and compares.
"""

import hashlib
import shutil
import tempfile
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SQLAlchemyError

from llm_course.classroom.author import chapter_text
from llm_course.classroom.author.references import load_references
from llm_course.classroom.course import Notebook, notebooks
from llm_course.classroom.release.nbgrader_settings import (
    COURSE_ID,
    programs_on_path,
    settings,
    staging,
)
from llm_course.classroom.release.plain_markdown import collect, plain
from llm_course.errors import CourseError
from llm_course.files import atomic_write


def release(root: Path, out: Path | None = None, only: Sequence[str] = ()) -> list[Path]:
    """Write the student release of every chapter as ``<out>/<key>.ipynb``.

    Releases of chapters that no longer exist are removed when all chapters are written.

    Args:
        root: the repository.
        out: the folder to write to, by default ``notebooks``.
        only: the chapters or notebooks to release, by default all of them.

    Raises:
        CourseError: a chapter cannot be read, or nbgrader refuses it.
    """
    root = Path(root)
    out = Path(out) if out else root / "notebooks"
    made = _released(root, only, staging(root))
    for key, text in made.items():
        atomic_write(out / f"{key}.ipynb", text)
    if not only:
        for stale in _stale(out, made):
            stale.unlink()
    return [out / f"{key}.ipynb" for key in made]


def check_drift(root: Path, out: Path | None = None, only: Sequence[str] = ()) -> list[str]:
    """How the committed releases differ from the chapters, one sentence each; empty if not.

    Args:
        root: the repository.
        out: where the releases lie, by default ``notebooks``.
        only: the chapters or notebooks to compare, by default all of them.

    Raises:
        CourseError: a name in `only` is unknown.
    """
    root = Path(root)
    out = Path(out) if out else root / "notebooks"
    with tempfile.TemporaryDirectory() as folder:
        made = _released(root, only, Path(folder), gradebook=False)
    found = []
    for key, text in made.items():
        path = out / f"{key}.ipynb"
        if not path.is_file():
            found.append(f"{key}: not released. Fix: llm-course release")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"{key}: differs from its chapter. Fix: llm-course release")
    for path in () if only else _stale(out, made):
        found.append(f"{path}: released from no chapter. Fix: llm-course release")
    return found


def version(root: Path) -> str:
    """The course's version, from ``pyproject.toml``; a release carries it.

    Raises:
        CourseError: the file or its version is missing.
    """
    path = Path(root) / "pyproject.toml"
    try:
        return str(tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"])
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise CourseError(f"{path}: expected a project version, got {error!r}.") from error


def _released(
    root: Path, only: Sequence[str], course: Path, gradebook: bool = True
) -> dict[str, str]:
    """The text of each release by key, made by nbgrader in the folder `course`."""
    chosen = notebooks(root, only)
    references, edition = load_references(root), version(root)
    made = {}
    for chapter, group in groupby(chosen, key=lambda notebook: notebook.chapter):
        members = list(group)
        for part in ("source", "release"):
            shutil.rmtree(course / part / chapter, ignore_errors=True)
        for notebook in members:
            text = chapter_text.dumps(chapter_text.read(notebook))
            atomic_write(course / "source" / f"{notebook.key}.ipynb", text)
        _generate(course, chapter, gradebook)
        for notebook in members:
            path = course / "release" / f"{notebook.key}.ipynb"
            cleared = nbformat.read(path, as_version=4)
            _rewrite(cleared, notebook, edition, references)
            made[notebook.key] = chapter_text.dumps(cleared)
    return made


def _generate(course: Path, chapter: str, gradebook: bool) -> None:
    """nbgrader's ``generate_assignment`` for one chapter, its log kept for the error."""
    config = settings(course, gradebook)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    with programs_on_path():
        if gradebook:
            _forget(config.CourseDirectory.db_url, chapter)
        result = api.generate_assignment(chapter, force=True, create=True)
    if not result["success"]:
        told = (result.get("log") or result["error"]).strip().splitlines()
        reason = next((line for line in told[::-1] if "Error" in line), told[-1]).strip()
        raise CourseError(
            f"{chapter}: nbgrader made no release: {reason}. Fix: llm-course check --only {chapter}"
        )


def _forget(db_url: str, chapter: str) -> None:
    """Take the chapter's last release out of the gradebook: nbgrader would not change its cells."""
    try:
        with Gradebook(db_url, COURSE_ID) as gradebook, suppress(MissingEntry):
            gradebook.remove_assignment(chapter)
    except SQLAlchemyError as error:
        reason = str(error).split("\n")[0]
        raise CourseError(f"{db_url}: no gradebook: {reason}. Fix: delete that file.") from error


def _rewrite(cleared: NotebookNode, notebook: Notebook, edition: str, references: dict) -> None:
    """Plain Markdown, no line numbers, and the stamp of version and source."""
    names = collect(cleared.cells, references)
    for cell in cleared.cells:
        cell.metadata.pop("llm_course", None)
        if cell.cell_type == "markdown":
            cell.source = plain(cell.source, names)
    given = cleared.metadata.get("llm_course", {})
    stamp = {key: given[key] for key in ("title", "minutes", "prerequisites") if key in given}
    stamp |= {"version": edition, "source": hashlib.sha256(notebook.path.read_bytes()).hexdigest()}
    cleared.metadata = nbformat.from_dict(
        {
            "kernelspec": chapter_text.KERNEL,
            "language_info": {"name": "python"},
            "llm_course": stamp,
        }
    )


def _stale(out: Path, made: dict[str, str]) -> list[Path]:
    """Released notebooks that belong to no chapter."""
    kept = {out / f"{key}.ipynb" for key in made}
    return [path for path in sorted(out.glob("*/*.ipynb")) if path not in kept]
