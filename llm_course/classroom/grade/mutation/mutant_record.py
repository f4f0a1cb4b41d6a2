"""What the mutants of each exercise showed, and the record of it in ``book/mutants.json``.

An entry holds as long as what it rests on is the same: the exercise's set-up, solution and tests,
the listed equivalent mutants, and the operators that make mutants. So an entry is as good as a run.
"""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Any

from llm_course.classroom.author.exercises import Exercise, exercises
from llm_course.classroom.course import Notebook, notebooks
from llm_course.classroom.grade.mutation import mutant_equivalents
from llm_course.classroom.grade.mutation.mutant_equivalents import Equivalent
from llm_course.errors import CourseError
from llm_course.files import atomic_write

FILE = "book/mutants.json"
COMMAND = "python -m llm_course.classroom.grade.mutation.mutants --write"
TARGET = 0.9

FORMAT = 1
"""Raised by one when mutants are made or run in another way, so that all are run again."""


@dataclass(frozen=True, kw_only=True)
class Slip:
    """A mutant that no test killed; `reason` says why none can, when it is listed.

    `line` counts in the solution cell, from 1.
    """

    kind: str
    line: int
    was: str
    becomes: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How the tests of one exercise fared against its mutants.

    Attributes:
        label: the exercise.
        notebook: the key of its notebook.
        fingerprint: of all that the result rests on.
        mutants: how many there are.
        by_visible: how many the visible test killed.
        by_hidden: how many the hidden test killed.
        by_limit: how many were ended because they looped, used too much memory or ended Python.
        equivalent: those that no test can kill.
        survivors: those that a better test would kill.
    """

    label: str
    notebook: str
    fingerprint: str
    mutants: int
    by_visible: int
    by_hidden: int
    by_limit: int
    equivalent: tuple[Slip, ...] = ()
    survivors: tuple[Slip, ...] = ()

    @property
    def killed(self) -> int:
        """How many mutants were killed, in whichever way."""
        return self.by_visible + self.by_hidden + self.by_limit

    @property
    def share(self) -> float:
        """The share that was killed of those that can be; 1 when there are none."""
        can_be = self.killed + len(self.survivors)
        return self.killed / can_be if can_be else 1.0


Pair = tuple[Notebook, Exercise]


def course_exercises(root: Path, only: Sequence[str] = ()) -> list[Pair]:
    """Every exercise of the course with its notebook.

    Args:
        root: the repository.
        only: the chapters or notebooks to take, by default all of them.
    """
    return [
        (notebook, exercise)
        for notebook in notebooks(root, only)
        for exercise in exercises(notebook)
    ]


def changed(root: Path, only: Sequence[str] = ()) -> list[Pair]:
    """The exercises whose recorded result no longer holds, or that have none."""
    record = load(root)
    return [
        (notebook, exercise)
        for notebook, exercise in course_exercises(root, only)
        if not holds(record.get(exercise.label), notebook, exercise)
    ]


def holds(tally: Tally | None, notebook: Notebook, exercise: Exercise) -> bool:
    """Whether a recorded result is that of the exercise as it stands."""
    listed = mutant_equivalents.load(notebook).get(exercise.label, ())
    return tally is not None and tally.fingerprint == fingerprint(exercise, listed)


def fingerprint(exercise: Exercise, listed: Sequence[Equivalent]) -> str:
    """The hash of all that an exercise's result rests on."""
    texts = (
        exercise.setup,
        exercise.solution_source,
        exercise.visible_test,
        exercise.hidden_test,
        *(text for entry in listed for text in asdict(entry).values()),
    )
    return hashlib.sha256(json.dumps([FORMAT, *texts]).encode()).hexdigest()


def load(root: Path) -> dict[str, Tally]:
    """The recorded results by exercise; empty when there is no record.

    Raises:
        CourseError: the file is no record.
    """
    path = root / FILE
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["exercises"]
        return {label: _tally(label, entry) for label, entry in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CourseError(
            f"{path}: expected recorded results, got {type(error).__name__}: {error}. "
            f"Fix: remove the file, then {COMMAND}"
        ) from error


def versions(root: Path) -> Mapping[str, str]:
    """The versions under which the record was made; empty when there is none."""
    path = root / FILE
    return json.loads(path.read_text(encoding="utf-8"))["versions"] if path.is_file() else {}


def save(root: Path, tallies: Iterable[Tally]) -> Path:
    """Put results into the record; entries of exercises that no longer exist go.

    Returns:
        the record's path.
    """
    found = load(root) | {tally.label: tally for tally in tallies}
    known = {exercise.label for _, exercise in course_exercises(root)}
    entries = {label: _entry(found[label]) for label in sorted(found) if label in known}
    packages = {name: metadata.version(name) for name in ("torch", "einops", "numpy")}
    record = {
        "command": COMMAND,
        "versions": {"python": platform.python_version(), **packages},
        "exercises": entries,
    }
    atomic_write(root / FILE, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    return root / FILE


def _entry(tally: Tally) -> dict[str, Any]:
    """A result as a JSON object."""
    entry = asdict(tally)
    del entry["label"]
    return entry


def _tally(label: str, entry: dict[str, Any]) -> Tally:
    """A result from its JSON object."""
    slips = {
        name: tuple(Slip(**one) for one in entry[name]) for name in ("equivalent", "survivors")
    }
    unknown = set(entry) - {field.name for field in fields(Tally)}
    if unknown:
        raise KeyError(sorted(unknown)[0])
    return Tally(**(entry | slips | {"label": label}))
