"""What the rules say about a sample chapter with one thing changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from llm_course.classroom.author import chapter_text
from llm_course.classroom.author.conventions.chapter import Chapter
from llm_course.classroom.course import notebooks
from llm_course.classroom.problems import Problem

Found = Callable[[str, str], list[Problem]]


@pytest.fixture
def problems_after(sample_course: Path, edit_chapter: Callable[[str, str], Path]) -> Found:
    """Every problem of the chapter after one edit."""

    def found(old: str, new: str) -> list[Problem]:
        edit_chapter(old, new)
        return chapter_text.check(sample_course)

    return found


@pytest.fixture
def breaks(problems_after: Found) -> Callable[[str, str, str, str], None]:
    """Check that one edit breaks one rule, with these words in its message.

    The linter may object to the same edit; what it says has tests of its own.
    """

    def check(old: str, new: str, rule: str, message: str) -> None:
        found = problems_after(old, new)
        rules = {problem.rule for problem in found}
        assert rules - {"ruff"} == {rule} - {"ruff"}, [str(problem) for problem in found]
        told = [problem.message for problem in found if problem.rule == rule]
        assert any(message in text for text in told), told

    return check


@pytest.fixture
def chapter(sample_course: Path) -> Chapter:
    """The sample as the rules see it."""
    (notebook,) = notebooks(sample_course)
    parsed = chapter_text.read(notebook)
    return Chapter(sample_course, notebook, tuple(parsed.cells), dict(parsed.metadata.llm_course))


@pytest.fixture
def line_at(sample_course: Path) -> Callable[[int], str]:
    """A line of the chapter's present text."""
    path = sample_course / "solutions" / "07_sample" / "counting.md"
    return lambda number: path.read_text(encoding="utf-8").split("\n")[number - 1]
