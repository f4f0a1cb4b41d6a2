"""The catalogued wrong answers of an exercise: plausible mistakes, each with its misconception.

They prove that the tests catch what they should, and later tell a student whose answer behaves
like one of them what was misunderstood.
"""

import importlib.util
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_course.classroom.author.exercises import Exercise
from llm_course.classroom.course import Notebook, shown
from llm_course.errors import CourseError


@dataclass(frozen=True)
class WrongAnswer:
    """One mistake: its name, what is misunderstood, and the mistake as a function."""

    name: str
    misconception: str
    function: Callable[..., Any]


def load_wrong_answers(notebook: Notebook, exercise: Exercise) -> list[WrongAnswer]:
    """The wrong answers to `exercise`, in the order of their file.

    Raises:
        CourseError: there is no such file, it cannot be imported, or it holds no function.
    """
    return wrong_answers_in(notebook.wrong_answers / exercise.file_name)


def wrong_answers_in(path: Path) -> list[WrongAnswer]:
    """The wrong answers of one file, ``wrong_answers/ex_07_1_scaled_dot_product.py``.

    Raises:
        CourseError: there is no such file, it cannot be imported, or it holds no function.
    """
    name = f"wrong_answers_{path.parents[1].name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CourseError(f"{shown(path)}: expected a Python file.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CourseError(
            f"{shown(path)}: cannot be imported: {type(error).__name__}: {error}. "
            f"Fix: write the exercise's wrong answers there."
        ) from error
    found = [
        WrongAnswer(key, inspect.cleandoc(value.__doc__ or ""), value)
        for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == name and not key.startswith("_")
    ]
    if not found:
        raise CourseError(f"{shown(path)}: expected functions, got none. Fix: write four.")
    return found
