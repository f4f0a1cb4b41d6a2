"""ruff's view of the code."""

from collections.abc import Callable

import pytest

from llm_course.classroom.author.conventions.chapter import Chapter
from llm_course.classroom.author.conventions.code_style import ruff
from llm_course.classroom.problems import Problem
from llm_course.errors import CourseError

Breaks = Callable[[str, str, str, str], None]
Found = Callable[[str, str], list[Problem]]


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        ("guess = 0.5\n", "guess = undefined\n", "ruff", "F821"),
        ("guess = 0.5\n", "guess=0.5\n", "format", "ruff format would change"),
    ],
)
def test_one_edit_breaks_one_rule(
    breaks: Breaks, old: str, new: str, rule: str, message: str
) -> None:
    breaks(old, new, rule, message)


def test_a_problem_has_the_line_of_the_chapter(
    problems_after: Found, line_at: Callable[[int], str]
) -> None:
    (problem,) = problems_after("    return low + high / 2\n", "    return low + hihg / 2\n")
    assert line_at(problem.line) == "    return low + hihg / 2"


def test_broken_code_is_told_once_by_the_linter(problems_after: Found) -> None:
    found = problems_after("guess = 0.5\n", "guess = (0.5\n")
    assert "ruff" in {problem.rule for problem in found}
    assert "format" not in {problem.rule for problem in found}


def test_broken_settings_are_an_error(chapter: Chapter) -> None:
    (chapter.root / "pyproject.toml").write_text("[tool.ruff]\nline-length = 'wide'\n")
    with pytest.raises(CourseError, match="ruff check: .*line-length"):
        list(ruff(chapter))
