"""One idea a cell."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from llm_course.classroom.author.conventions.chapter import Chapter
from llm_course.classroom.author.conventions.rhythm import (
    FEWEST_CELLS,
    MOST_STEPS,
    cell_count,
    code_lines,
    word_count,
)
from llm_course.classroom.cells import is_test

Breaks = Callable[[str, str, str, str], None]


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        (
            "guess = 0.5\n",
            "guess = 0.5\n" + "guess += 0\n" * 24,
            "code-length",
            "at most 25 lines of code, got 26",
        ),
        (
            "## Use it\n\nThe mean of the ten numbers is now compared with the guess; the error is "
            "what a reader who had looked at the figure first could have made smaller.\n\n",
            "",
            "prose-between",
            "without prose",
        ),
        ("## See it\n", "## See it\n\n" + "word " * 101, "prose-length", "at most 120 words"),
        (
            "print([round(number, 3) for number in numbers[:3]])",
            "first = numbers[:3]",
            "shows-something",
            "shows nothing",
        ),
        ("tags: [predict]", "tags: [guess]", "predict", "a prediction"),
        ("tags: [break-it]", "tags: [bug]", "break-it", "a planted bug"),
    ],
)
def test_one_edit_breaks_one_rule(
    breaks: Breaks, old: str, new: str, rule: str, message: str
) -> None:
    breaks(old, new, rule, message)


def test_the_number_of_cells(chapter: Chapter) -> None:
    assert list(cell_count(chapter)) == []
    (few,) = cell_count(replace(chapter, cells=chapter.cells[: FEWEST_CELLS - 1]))
    assert f"got {FEWEST_CELLS - 1}" in few.message
    steps = [cell for cell in chapter.code if not is_test(cell)]
    tests = tuple(cell for cell in chapter.code if is_test(cell))
    most = (*chapter.markdown, *(steps * MOST_STEPS)[:MOST_STEPS])
    assert list(cell_count(replace(chapter, cells=most + tests))) == [], "tests are no steps"
    (many,) = cell_count(replace(chapter, cells=(*most, steps[0])))
    assert f"at most {MOST_STEPS}" in many.message


def test_words_are_those_of_running_prose() -> None:
    text = "(a)=\n# No heading\nOne two, it's four.\n\n| a | table |\n\n"
    text += "$$\nx + y\n$$ (label)\n$z$ five"
    assert word_count(text) == 5


def test_lines_of_broken_code_are_counted_too() -> None:
    assert code_lines("def broken(\n\n# comment") == 1
