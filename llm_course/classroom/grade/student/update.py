"""Moving a student's answers into a newer release: ``llm-course validate --update NOTEBOOK``.

The notebook is replaced in one step, and the one before is kept beside it as
``NAME.before-update.ipynb``; an earlier one of that name is never overwritten.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from llm_course.classroom.author.chapter_text import dumps
from llm_course.classroom.cells import grade_id, is_solution
from llm_course.classroom.course import Notebook, notebooks
from llm_course.classroom.grade.marking.assignment import of_chapter
from llm_course.classroom.grade.marking.matching import defined
from llm_course.classroom.grade.student.answer_state import as_released
from llm_course.classroom.grade.student.merge import HEADING, Merged, merge
from llm_course.classroom.grade.student.release_history import began_with, cell_texts, committed
from llm_course.errors import CourseError
from llm_course.files import atomic_write


@dataclass(frozen=True, kw_only=True)
class Update:
    """What an update did; `backup` and `merged` are None when there was nothing to do.

    Attributes:
        path: the student's notebook.
        key: the chapter and name of its release.
        before: the version of the notebook.
        after: the version of the release.
        backup: where the notebook before the update is kept.
        merged: what moved.
        open: the exercises that are still to be answered.
    """

    path: Path
    key: str
    before: str
    after: str
    backup: Path | None = None
    merged: Merged | None = None
    open: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.merged is None:
            return f"{self.path}: already the release of {self.key}; nothing was changed."
        moved = self.merged
        lines = [
            f"{self.path}: updated to release {self.after}"
            + (f" (yours was {self.before})." if self.before not in ("", self.after) else "."),
            f"  answers moved: {', '.join(moved.answers) or 'none'}",
            *(f"  {old} is now {new}" for old, new in sorted(moved.renamed.items())),
            f"  cells of your own moved: {moved.added}; cells you had edited: {moved.edited}",
            f"  to be answered: {', '.join(self.open) or 'none'}",
            *(f'  at the end, under "{HEADING[3:]}": {what}' for what in moved.left),
        ]
        if moved.unclear:
            lines.append(
                f"  {moved.unclear} texts of the older release were replaced. If you had written "
                "into them, look into the kept notebook."
            )
        return "\n".join([*lines, f"  your notebook from before: {self.backup}"])


def update(path: Path, root: Path) -> Update:
    """Move the answers in a student's notebook into the release that the course has now.

    Args:
        path: the student's notebook; it is replaced.
        root: the repository.

    Raises:
        CourseError: the file is no notebook of the course, or is newer than the release.
    """
    path = Path(path).resolve()
    data, student = _read(path)
    notebook = _release_of(student, path, root)
    release = _pristine(notebook, path, root)
    before, after = _stamp(student), _stamp(release)
    told = {"path": path, "key": notebook.key}
    told |= {"before": str(before.get("version", "")), "after": str(after.get("version", ""))}
    _refuse_older(told["before"], told["after"], path)
    if _is_that_release(student, release):
        return Update(**told)
    assignment = replace(of_chapter(root, notebook), release=release)
    merged = merge(student, assignment, began_with(root, notebook.key, student))
    text = dumps(merged.notebook)
    backup = _keep(path, data)
    atomic_write(path, text)
    answers = [grade_id(cell) for cell in release.cells if is_solution(cell)]
    left = tuple(name for name in answers if name not in merged.answers)
    return Update(**told, backup=backup, merged=merged, open=left)


def _read(path: Path) -> tuple[bytes, NotebookNode]:
    """A student's file, and the notebook in it."""
    try:
        data = path.read_bytes()
        found = nbformat.reads(data.decode("utf-8-sig"), as_version=4)
        if all(isinstance(cell.source, str) for cell in found.cells):
            return data, found
        reason = "a cell without text"
    except OSError as error:
        reason = error.strerror or str(error)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = type(error).__name__
    raise CourseError(
        f"{path}: expected a notebook, got {reason}. Fix: open it in JupyterLab and save it."
    )


def _release_of(student: NotebookNode, path: Path, root: Path) -> Notebook:
    """The notebook of the course that has most in common with the student's."""
    names = {grade_id(cell) for cell in student.cells} - {""}
    functions = {name for cell in student.cells for name in defined(cell.source)}
    texts = cell_texts(student)

    def likeness(notebook: Notebook) -> tuple[int, int, bool]:
        release = _on_disk(notebook, root)
        asked = [cell for cell in release.cells if is_solution(cell)]
        common = {name for cell in asked for name in defined(cell.source)} & functions
        common |= {grade_id(cell) for cell in asked} & names
        return len(common), len(texts & cell_texts(release)), notebook.name == path.stem

    best = max(notebooks(root), key=likeness)
    if not any(likeness(best)):
        known = ", ".join(notebook.key for notebook in notebooks(root))
        raise CourseError(
            f"{path}: expected a notebook of the course ({known}), got one that has no cell in "
            "common with them. Fix: name the notebook with your answers."
        )
    return best


def _pristine(notebook: Notebook, path: Path, root: Path) -> NotebookNode:
    """The release, also where the student works in the file in which it was released."""
    release = _on_disk(notebook, root)
    same = _path(notebook, root).resolve() == path
    if not same and all(as_released(cell) for cell in release.cells if is_solution(cell)):
        return release
    found = committed(root, notebook.key)
    if found is None:
        raise CourseError(
            f"{_path(notebook, root)}: expected the release, got a notebook with answers. Fix: "
            "copy it to another folder, then llm-course release, then update the copy."
        )
    return found


def _on_disk(notebook: Notebook, root: Path) -> NotebookNode:
    """The release as it lies in the repository; without cells when it cannot be read."""
    try:
        return nbformat.read(_path(notebook, root), as_version=4)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return nbformat.v4.new_notebook()


def _path(notebook: Notebook, root: Path) -> Path:
    """Where a notebook is released."""
    return Path(root) / "notebooks" / f"{notebook.key}.ipynb"


def _stamp(notebook: NotebookNode) -> dict[str, Any]:
    """What a release says of itself, empty when it is lost."""
    found = notebook.metadata.get("llm_course")
    return dict(found) if isinstance(found, dict) else {}


def _is_that_release(student: NotebookNode, release: NotebookNode) -> bool:
    """Whether the student's notebook was made from this release and has all of its exercises."""
    same = _stamp(student).get("source") == _stamp(release).get("source", "")
    names = [{grade_id(cell) for cell in one.cells} for one in (release, student)]
    return same and names[0] <= names[1]


def _refuse_older(before: str, after: str, path: Path) -> None:
    """Never move answers into a release that is older than theirs."""
    if _numbers(before) > _numbers(after):
        raise CourseError(
            f"{path}: expected a notebook of release {after} or older, got one of {before}. "
            "Fix: bring the course up to date with git pull."
        )


def _numbers(version: str) -> Sequence[int]:
    """A version as numbers that can be compared.

    >>> _numbers("0.10.1") > _numbers("0.9")
    True
    """
    return [int(part) if part.isdigit() else 0 for part in version.split(".") if part]


def _keep(path: Path, data: bytes) -> Path:
    """Write what was there beside it, under a name that is not taken."""
    number = 1
    while True:
        suffix = f"-{number}" if number > 1 else ""
        backup = path.with_name(f"{path.stem}.before-update{suffix}.ipynb")
        try:
            with backup.open("xb") as file:
                file.write(data)
            return backup
        except FileExistsError:
            number += 1
        except OSError as error:
            raise CourseError(
                f"{backup}: cannot be written ({error.strerror}); nothing was changed. "
                "Fix: make room, or copy the notebook to a folder of yours."
            ) from error
