"""What a solution teaches is what the package does: both pass the same tests of the exercise."""

from importlib import import_module
from pathlib import Path

import pytest

from llm_course.classroom.author.exercises import Exercise, exercises, run_tests
from llm_course.classroom.course import notebooks
from llm_course.classroom.coverage.topics import Topic, read_topics

ROOT = Path(__file__).parents[2]
TOPICS = read_topics(ROOT)
EXERCISES = [exercise for notebook in notebooks(ROOT) for exercise in exercises(notebook)]


def _symbols(topics: list[Topic], exercise: Exercise) -> list[str]:
    """The package's functions of the exercise's name, in the topics that the exercise grades."""
    graded = [topic for topic in topics if exercise.label in topic.exercises]
    symbols = {symbol for topic in graded for symbol in topic.code}
    return sorted(symbol for symbol in symbols if symbol.endswith(f".{exercise.function_name}"))


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.label)
def test_the_package_passes_the_exercise(exercise: Exercise) -> None:
    symbols = _symbols(TOPICS, exercise)
    assert len(symbols) == 1, (
        f"expected one function {exercise.function_name} among the code of {exercise.label}'s "
        f"topics in book/topics.yml, got {symbols}"
    )
    module, name = symbols[0].rsplit(".", 1)
    outcome = run_tests(exercise, getattr(import_module(module), name))
    assert outcome.passed, f"{outcome.which} test fails {symbols[0]}: {outcome.message}"
