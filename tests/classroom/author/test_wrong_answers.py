"""Loading the catalogued wrong answers."""

from pathlib import Path

import pytest

from llm_course.classroom.author.exercises import exercises, run_tests
from llm_course.classroom.author.wrong_answers import load_wrong_answers
from llm_course.classroom.course import notebooks
from llm_course.errors import CourseError

FILE = Path("solutions/07_sample/wrong_answers/ex_07_1_mean.py")


def test_each_has_a_name_and_a_misconception(sample_course: Path) -> None:
    (notebook,) = notebooks(sample_course)
    found = load_wrong_answers(notebook, exercises(notebook)[0])
    assert [answer.name for answer in found] == [
        "whole_division",
        "forgets_to_divide",
        "divides_by_one_less",
        "middle_element",
    ]
    assert found[0].misconception == "Whole division drops the fraction."
    assert found[0].function([1, 2]) == 1


def test_the_sample_s_tests_catch_all_of_them(sample_course: Path) -> None:
    (notebook,) = notebooks(sample_course)
    for exercise in exercises(notebook):
        for answer in load_wrong_answers(notebook, exercise):
            assert not run_tests(exercise, answer.function).passed, answer.name


def test_helpers_and_imports_are_no_wrong_answers(sample_course: Path) -> None:
    (sample_course / FILE).write_text(
        "from statistics import median\n\ndef _help(x):\n    return x\n\n"
        'def as_median(numbers):\n    """The median."""\n    return median(numbers)\n'
    )
    (notebook,) = notebooks(sample_course)
    found = load_wrong_answers(notebook, exercises(notebook)[0])
    assert [answer.name for answer in found] == ["as_median"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be imported: FileNotFoundError"),
        ("def broken(", "cannot be imported: SyntaxError"),
        ("import nowhere_to_be_found", "cannot be imported: ModuleNotFoundError"),
        ("x = 1", "expected functions, got none"),
    ],
)
def test_a_missing_or_broken_file_is_an_error(
    sample_course: Path, text: str | None, reason: str
) -> None:
    (sample_course / FILE).unlink()
    if text is not None:
        (sample_course / FILE).write_text(text)
    (notebook,) = notebooks(sample_course)
    with pytest.raises(CourseError, match=reason):
        load_wrong_answers(notebook, exercises(notebook)[0])
