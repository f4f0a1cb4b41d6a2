"""The tests of every exercise pass its solution and fail its stub and each wrong answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_course.classroom.author.exercises import Exercise, exercises, run_tests
from llm_course.classroom.author.wrong_answers import WrongAnswer, load_wrong_answers
from llm_course.classroom.course import Notebook, notebooks

FOUND: list[tuple[Notebook, Exercise]] = [
    (notebook, exercise)
    for notebook in notebooks(Path(__file__).parents[2])
    for exercise in exercises(notebook)
]


def _mistakes() -> Iterator[object]:
    """Every wrong answer of every exercise, named by both."""
    for notebook, exercise in FOUND:
        for mistake in load_wrong_answers(notebook, exercise):
            yield pytest.param(exercise, mistake, id=f"{exercise.label}-{mistake.name}")


each_exercise = pytest.mark.parametrize(
    "exercise", [pytest.param(exercise, id=exercise.label) for _, exercise in FOUND]
)


def test_every_chapter_has_exercises() -> None:
    chapters = {notebook.key for notebook in notebooks(Path(__file__).parents[2])}
    assert chapters == {notebook.key for notebook, _ in FOUND}, "a chapter without exercises"


@each_exercise
def test_the_solution_passes(exercise: Exercise) -> None:
    outcome = run_tests(exercise, exercise.solution_source)
    assert outcome.passed, f"{outcome.which} test fails the solution: {outcome.message}"


@each_exercise
def test_the_stub_fails(exercise: Exercise) -> None:
    outcome = run_tests(exercise, exercise.stub_source)
    assert not outcome.passed, "the stub passes"
    assert exercise.label in outcome.message, "the stub must name its exercise"


@pytest.mark.parametrize(("exercise", "mistake"), list(_mistakes()))
def test_a_wrong_answer_fails(exercise: Exercise, mistake: WrongAnswer) -> None:
    outcome = run_tests(exercise, mistake.function)
    assert not outcome.passed, f"no test catches {mistake.name}: {mistake.misconception}"
    assert outcome.message, f"the {outcome.which} test fails {mistake.name} without a message"
