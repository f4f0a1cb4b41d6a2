"""Figures and cards."""

from collections.abc import Callable

import pytest

from llm_course.classroom.problems import Problem

Breaks = Callable[[str, str, str, str], None]
Found = Callable[[str, str], list[Problem]]


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        (
            "rise from {min(numbers):.2f} to {max(numbers):.2f} without a jump",
            "rise",
            "alt-text",
            "40",
        ),
        ('name="fig-07-numbers"', 'name="fig-06-numbers"', "figure-name", "fig-07-weights"),
        ("guess = 0.5\n", 'guess = 0.5\ncard(id="claim-1")\n', "figure-name", "card-07-"),
    ],
)
def test_one_edit_breaks_one_rule(
    breaks: Breaks, old: str, new: str, rule: str, message: str
) -> None:
    breaks(old, new, rule, message)


def test_a_name_is_used_once(problems_after: Found) -> None:
    found = problems_after(
        "guess = 0.5\n",
        'guess = 0.5\nshow(figure, alt="A second figure under the name of the first one.", '
        'name="fig-07-numbers")\n',
    )
    assert "'fig-07-numbers' is used twice" in " ".join(problem.message for problem in found)


def test_the_line_is_that_of_the_call(problems_after: Found, line_at: Callable[[int], str]) -> None:
    found = problems_after('    name="fig-07-numbers",\n', "")
    (problem,) = [problem for problem in found if problem.rule == "figure-name"]
    assert line_at(problem.line) == "show("
