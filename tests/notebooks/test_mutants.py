"""The tests of every exercise kill at least 90 % of the mutants of its solution.

An exercise that has not changed since the record in ``book/mutants.json`` is judged by it; the
others are run. ``make test-all`` runs all of them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_course.classroom.author.exercises import Exercise
from llm_course.classroom.course import Notebook
from llm_course.classroom.grade.mutation.mutant_equivalents import check_labels
from llm_course.classroom.grade.mutation.mutant_record import TARGET, course_exercises, holds, load
from llm_course.classroom.grade.mutation.mutant_runner import Runner
from llm_course.classroom.grade.mutation.mutants import examine, line_in_chapter

ROOT = Path(__file__).parents[2]
FOUND = course_exercises(ROOT)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner() as runner:
        yield runner


@pytest.mark.parametrize(
    ("notebook", "exercise"), [pytest.param(*pair, id=pair[1].label) for pair in FOUND]
)
def test_the_tests_kill_the_mutants(notebook: Notebook, exercise: Exercise, runner: Runner) -> None:
    tally = load(ROOT).get(exercise.label)
    if tally is None or not holds(tally, notebook, exercise):
        tally = examine(notebook, exercise, runner)
    left = [
        f"{line_in_chapter(exercise, slip)}: {slip.kind}: {slip.was} → {slip.becomes}"
        for slip in tally.survivors
    ]
    assert tally.mutants, "an exercise without mutants has nothing that a test could check"
    assert tally.share >= TARGET, "\n".join(["no test kills:", *left])


def test_the_record_names_only_exercises_that_exist() -> None:
    gone = set(load(ROOT)) - {exercise.label for _, exercise in FOUND}
    assert not gone, "Fix: python -m llm_course.classroom.grade.mutation.mutants --write"


@pytest.mark.parametrize("chapter", sorted({notebook.chapter for notebook, _ in FOUND}))
def test_only_exercises_have_equivalent_mutants(chapter: str) -> None:
    members = [(notebook, exercise) for notebook, exercise in FOUND if notebook.chapter == chapter]
    check_labels(members[0][0], {exercise.label for _, exercise in members})
