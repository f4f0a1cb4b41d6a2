"""Finding the repository and its chapters.

A chapter is a folder ``solutions/NN_name``; each Markdown file in it is one notebook. Everything
else in the classroom names a notebook by its key, ``07_attention/self_attention``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_course.errors import CourseError

_PROJECT = re.compile(r"""^name\s*=\s*["']llm-course["']""", re.MULTILINE)
_CHAPTER = re.compile(r"\d\d_[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Notebook:
    """One authored notebook.

    >>> notebook = Notebook("07_attention", "self_attention", Path("/c/solutions/x/y.md"))
    >>> notebook.key
    '07_attention/self_attention'
    """

    chapter: str
    name: str
    path: Path

    @property
    def key(self) -> str:
        """How commands and messages name it: chapter and name."""
        return f"{self.chapter}/{self.name}"

    @property
    def wrong_answers(self) -> Path:
        """The folder of the chapter's catalogued wrong answers."""
        return self.path.parent / "wrong_answers"


def find_root(start: Path | str | None = None) -> Path:
    """The repository that holds `start` (by default the current folder).

    Raises:
        CourseError: no parent folder holds a clone of the course.
    """
    here = Path(start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "solutions").is_dir() and _is_course(folder):
            return folder
    raise CourseError(
        f"{here}: expected a folder of the course (one with solutions/ and _config.yml). "
        "Fix: run inside a clone of the repository."
    )


def notebooks(root: Path, only: Sequence[str] = ()) -> list[Notebook]:
    """The authored notebooks below `root`, sorted by key.

    Args:
        root: the repository.
        only: names to keep: a chapter, a key, or a notebook's name. All of them when empty.

    Raises:
        CourseError: a name is unknown, or there is no notebook at all.
    """
    found = [
        Notebook(path.parent.name, path.stem, path)
        for path in sorted((Path(root) / "solutions").glob("*/*.md"))
        if _CHAPTER.fullmatch(path.parent.name)
    ]
    if not found:
        raise CourseError(
            f"{Path(root) / 'solutions'}: expected chapters, 07_attention/self_attention.md "
            "and others, got none. Fix: git checkout -- solutions"
        )
    for name in only:
        if not any(_answers_to(notebook, name) for notebook in found):
            known = ", ".join(notebook.key for notebook in found)
            raise CourseError(f"unknown chapter or notebook {name!r}. Fix: use one of {known}")
    return [n for n in found if not only or any(_answers_to(n, name) for name in only)]


def shown(path: Path) -> str:
    """A path as messages show it: from ``solutions`` on, when it lies there.

    >>> shown(Path("/home/ada/llm-course/solutions/07_attention/self_attention.md"))
    'solutions/07_attention/self_attention.md'
    >>> shown(Path("notes.md"))
    'notes.md'
    """
    parts = Path(path).parts
    if "solutions" in parts:
        last = len(parts) - 1 - parts[::-1].index("solutions")
        return "/".join(parts[last:])
    return str(path)


def _is_course(folder: Path) -> bool:
    """Whether `folder` is the top of a clone."""
    if (folder / "_config.yml").is_file():
        return True
    project = folder / "pyproject.toml"
    return project.is_file() and bool(_PROJECT.search(project.read_text(encoding="utf-8")))


def _answers_to(notebook: Notebook, name: str) -> bool:
    """Whether a user who says `name` means this notebook."""
    name = name.rstrip("/")
    return name in (notebook.chapter, notebook.key, notebook.name)
