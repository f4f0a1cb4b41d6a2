"""Mutants that no test can kill, because they do what the reference does: listed, with a reason.

A chapter lists them in ``equivalent_mutants.yml``, by exercise and by the line before and after::

    ex-07-1-scaled-dot-product:
      - was: scores = query @ key.transpose(-2, -1)
        becomes: scores = query @ key.transpose(2, -1)
        reason: query and key always have four axes, so axis 2 is axis -2.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from llm_course.classroom.course import Notebook, shown
from llm_course.classroom.grade.mutation.mutation import Mutant
from llm_course.errors import CourseError

FILE = "equivalent_mutants.yml"
_FIELDS = ("was", "becomes", "reason")


@dataclass(frozen=True, kw_only=True)
class Equivalent:
    """A listed mutant: its line before and after, and why it behaves like the reference."""

    was: str
    becomes: str
    reason: str

    def describes(self, mutant: Mutant) -> bool:
        """Whether this is the entry of `mutant`."""
        return (self.was, self.becomes) == (mutant.was, mutant.becomes)


def load(notebook: Notebook) -> dict[str, tuple[Equivalent, ...]]:
    """The equivalent mutants of a chapter by exercise; empty when it lists none.

    Raises:
        CourseError: the file is of another form, or an entry gives no reason.
    """
    path = _path(notebook)
    if not path.is_file():
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise CourseError(f"{shown(path)}: broken YAML: {reason}. Fix: mend it.") from error
    if not isinstance(found, dict) or not all(isinstance(some, list) for some in found.values()):
        raise CourseError(
            f"{shown(path)}: expected a list of mutants for each exercise, got another form. "
            "Fix: write was, becomes and reason under the exercise's label."
        )
    return {
        str(label): tuple(_entry(entry, f"{shown(path)}: {label}") for entry in entries)
        for label, entries in found.items()
    }


def check_labels(notebook: Notebook, labels: Collection[str]) -> None:
    """Refuse entries for exercises that the chapter does not have.

    Args:
        notebook: a notebook of the chapter.
        labels: the labels of all exercises of the chapter.

    Raises:
        CourseError: an entry names an unknown exercise.
    """
    if unknown := sorted(set(load(notebook)) - set(labels)):
        raise CourseError(
            f"{shown(_path(notebook))}: expected exercises of the chapter, got "
            f"{', '.join(unknown)}. Fix: correct the names or remove the entries."
        )


def _path(notebook: Notebook) -> Path:
    """The chapter's list."""
    return notebook.path.parent / FILE


def _entry(entry: Any, where: str) -> Equivalent:
    """One entry of the list."""
    given = entry if isinstance(entry, dict) else {}
    texts = {name: given.get(name) for name in _FIELDS}
    whole = all(isinstance(text, str) and text.strip() for text in texts.values())
    if not whole or set(given) != set(_FIELDS):
        raise CourseError(
            f"{where}: expected the texts {', '.join(_FIELDS)}, got {entry!r}. "
            "Fix: write all three, in quotes where they hold a colon."
        )
    return Equivalent(**{name: str(text).strip() for name, text in texts.items()})
