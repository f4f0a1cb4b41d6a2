"""The catalogue of mistakes that each exercise has."""

import pytest

from llm_course.classroom.author.conventions.chapter import Chapter
from llm_course.classroom.author.conventions.wrong_answers import catalogue


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("def middle_element", "def _middle_element", "expected 4 functions, got 3"),
        ('    """The sum is not the mean."""\n', "", "forgets_to_divide names no misconception"),
        ("whole_division(numbers)", "whole_division(values)", "whole_division takes ['values']"),
        ("def whole_division(numbers):", "def whole_division(numbers)", "ex_07_1_mean.py: "),
    ],
)
def test_what_a_catalogue_lacks(chapter: Chapter, old: str, new: str, message: str) -> None:
    path = chapter.notebook.wrong_answers / "ex_07_1_mean.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    (problem,) = catalogue(chapter)
    assert message in problem.message


def test_no_catalogue(chapter: Chapter) -> None:
    (chapter.notebook.wrong_answers / "ex_07_1_mean.py").unlink()
    (problem,) = catalogue(chapter)
    assert problem.message.endswith("write wrong_answers/ex_07_1_mean.py.")
