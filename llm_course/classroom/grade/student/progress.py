"""Where a student stands: what is answered, what the visible tests last said, what comes next.

Everything is read from the notebooks as they were saved. Nothing is executed, so an outcome is as
old as the last run of its cell.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbformat import NotebookNode

from llm_course.classroom.cells import grade_id, grading, has_tag, is_solution, is_test
from llm_course.classroom.grade.outputs.plain_text import number, one_line
from llm_course.classroom.grade.student.answer_state import State, state_of
from llm_course.errors import CourseError

Outcome = Literal["passed", "failed", "stale", "not run"]

_HEADING = re.compile(r"^#+ +(?P<title>Exercise[ .\d]*:.*\S)", re.MULTILINE)
_MINUTES = re.compile(r"^★+ · (\d+) minutes", re.MULTILINE)
_ANSWER_ID = re.compile(r"ex-\d\d-\d+-[a-z0-9-]+")
_LEFT_OUT = re.compile(r"\.before-update(-\d+)?\.ipynb$")

_FACTS: dict[Outcome, str] = {
    "passed": "visible test passed",
    "failed": "visible test failed",
    "stale": "changed since its visible test ran",
    "not run": "visible test not run",
}


@dataclass(frozen=True, kw_only=True)
class ExerciseProgress:
    """One exercise: how far its answer is, and what its visible test last said.

    An `outcome` is ``stale`` when the answer was run again after the test.
    """

    label: str
    title: str
    points: float
    minutes: int
    optional: bool
    state: State
    outcome: Outcome
    message: str = ""

    @property
    def done(self) -> bool:
        """Whether it is answered and its visible test passed."""
        return self.state == "answered" and self.outcome == "passed"


@dataclass(frozen=True, kw_only=True)
class NotebookProgress:
    """One notebook; `fault` says why it could not be read, `outdated` that a newer one is here."""

    path: Path
    title: str
    exercises: tuple[ExerciseProgress, ...] = ()
    outdated: bool = False
    fault: str = ""


def progress(root: Path, folder: Path | None = None) -> list[NotebookProgress]:
    """How far each notebook with exercises is.

    Args:
        root: the repository.
        folder: where the notebooks are, by default ``notebooks``.

    Raises:
        CourseError: there is no such folder, or no notebook in it.
    """
    folder = Path(folder) if folder else Path(root) / "notebooks"
    paths = [path for path in sorted(folder.rglob("*.ipynb")) if _belongs(path, folder)]
    if not paths:
        raise CourseError(
            f"{folder}: expected a folder with notebooks, got none. "
            "Fix: name the folder in which your notebooks are."
        )
    read = [_progress_of(path, Path(root)) for path in paths]
    return [found for found in read if found.exercises or found.fault]


def next_step(found: Sequence[NotebookProgress]) -> tuple[Path, ExerciseProgress] | None:
    """The first exercise that is not done, optional ones last; None when all are."""
    left = [(n.path, e) for n in found for e in n.exercises if not e.done]
    return min(left, key=lambda pair: pair[1].optional, default=None)


def table(found: Sequence[NotebookProgress]) -> str:
    """What `progress` found, as lines for a terminal."""
    return "\n\n".join([*map(_section, found), _advice(found)]) + "\n"


def _progress_of(path: Path, root: Path) -> NotebookProgress:
    """One notebook, whatever the file holds."""
    try:
        notebook = nbformat.read(path, as_version=4)
        stamp = notebook.metadata.get("llm_course", {})
        return NotebookProgress(
            path=path,
            title=one_line(stamp.get("title") or path.stem, 80),
            exercises=tuple(_exercises(notebook)),
            outdated=_is_outdated(path, stamp.get("source"), root),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fault = f"cannot be read ({type(error).__name__}). Fix: open it in JupyterLab and save it."
        return NotebookProgress(path=path, title=path.stem, fault=fault)


def _is_outdated(path: Path, source: str | None, root: Path) -> bool:
    """Whether the release of the same name was made from another text of the chapter."""
    for release in sorted((root / "notebooks").glob(f"*/{path.name}")):
        if source and not release.samefile(path):
            stamp = nbformat.read(release, as_version=4).metadata.get("llm_course", {})
            return stamp.get("source", source) != source
    return False


def _exercises(notebook: NotebookNode) -> list[ExerciseProgress]:
    """The exercises in the order of their first answer cells."""
    answers: dict[str, list[NotebookNode]] = {}
    tests: dict[str, list[NotebookNode]] = {}
    stated: dict[str, str] = {}
    text, current = "", ""
    for cell in notebook.cells:
        name = _name(cell)
        if cell.cell_type == "markdown" and _HEADING.search(cell.source):
            text = cell.source
        elif _ANSWER_ID.fullmatch(name) or is_solution(cell):
            current = name
            answers.setdefault(name, []).append(cell)
            stated.setdefault(name, text)
        elif is_test(cell) or name.startswith("test-"):
            tests.setdefault(current, []).append(cell)
    return [_exercise(n, answers[n], tests.get(n, []), stated[n]) for n in answers if n]


def _exercise(
    label: str, answers: list[NotebookNode], tests: list[NotebookNode], text: str
) -> ExerciseProgress:
    """One exercise from its cells and its statement."""
    heading, minutes = _HEADING.search(text), _MINUTES.search(text)
    states = [state_of(cell) for cell in answers if cell.cell_type == "code"]
    written = [state for state in states if state != "open"]
    visible = [cell for cell in tests if not _name(cell).endswith("-hidden")]
    outcome, message = _outcome(answers, visible)
    return ExerciseProgress(
        label=label,
        title=one_line(heading["title"] if heading else label, 80),
        points=sum(_points(cell) for cell in tests),
        minutes=int(minutes[1]) if minutes else 0,
        optional=any(has_tag(cell, "optional") for cell in answers),
        state="answered" if "answered" in written else (written or ["open"])[0],
        outcome=outcome,
        message=message,
    )


def _outcome(answers: list[NotebookNode], tests: list[NotebookNode]) -> tuple[Outcome, str]:
    """What the visible tests said when they last ran, and how they failed."""
    for cell in tests:
        for output in cell.get("outputs", []):
            if output.get("output_type") == "error":
                told = f"{output.get('ename', 'Error')}: {output.get('evalue', '')}"
                return "failed", one_line(told.removeprefix("AssertionError: "), 200)
    ran = [cell.get("execution_count") for cell in tests]
    if not ran or not all(isinstance(count, int) for count in ran):
        return "not run", ""
    answered = [cell.get("execution_count") for cell in answers]
    later = [count for count in answered if isinstance(count, int) and count > min(ran)]
    return ("stale" if later else "passed"), ""


def _name(cell: NotebookNode) -> str:
    """A cell's grade id; where the metadata are lost its id is still the same word."""
    found = grade_id(cell) or str(cell.get("id", ""))
    return found if grade_id(cell) or found.startswith(("ex-", "test-")) else ""


def _points(cell: NotebookNode) -> float:
    """The points of a test cell, 0 where they are lost."""
    points: Any = grading(cell).get("points", 0)
    return float(points) if isinstance(points, int | float) else 0.0


def _belongs(path: Path, folder: Path) -> bool:
    """Whether this is a student's notebook, and no copy that a tool keeps."""
    parts = path.relative_to(folder).parts
    return not _LEFT_OUT.search(path.name) and not any(part.startswith(".") for part in parts)


def _section(found: NotebookProgress) -> str:
    """One notebook."""
    lines = [f"{found.title} ({found.path.name})"]
    if found.fault:
        return "\n".join([*lines, f"  {found.fault}"])
    if found.outdated:
        lines.append("  A newer release is here: llm-course validate --update " + str(found.path))
    width = max(len(exercise.title) for exercise in found.exercises)
    for e in found.exercises:
        mark = "✓" if e.done else "·"
        facts = e.state if e.state == "open" else f"{e.state}, {_FACTS[e.outcome]}"
        lines.append(f"  {mark} {e.title:{width}}  {number(e.points):>3} points  {facts}")
        if e.state != "open" and e.message:
            lines.append(f"      {e.message}")
    done = [exercise for exercise in found.exercises if exercise.done]
    points = [number(sum(e.points for e in some)) for some in (done, found.exercises)]
    total = f"  Done: {len(done)} of {len(found.exercises)} exercises, {points[0]} of {points[1]}"
    return "\n".join([*lines, f"{total} points, if the hidden tests agree."])


def _advice(found: Sequence[NotebookProgress]) -> str:
    """What to do next."""
    step = next_step(found)
    if step is None:
        return "All exercises are done."
    path, exercise = step
    minutes = f", about {exercise.minutes} minutes" if exercise.minutes else ""
    todo = {"open": "write", "begun": "finish"}.get(exercise.state, "run the visible test of")
    todo = "mend" if exercise.state == "answered" and exercise.outcome == "failed" else todo
    return f"Next: {todo} {exercise.title} in {path}{minutes}."
