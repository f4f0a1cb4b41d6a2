"""Formatting a chapter's code in place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from llm_course.classroom.author import chapter_text
from llm_course.classroom.author.formatting import format_sources
from llm_course.errors import CourseError

Edit = Callable[[str, str], Path]


def test_only_the_cells_that_need_it_change(sample_course: Path, edit_chapter: Edit) -> None:
    path = edit_chapter("guess = 0.5\n", "guess=0.5\n")
    before = path.read_text(encoding="utf-8").replace("guess=0.5\n", "guess = 0.5\n")
    edit_chapter("numbers = [random.random() for _ in range(10)]", "numbers=[\n1,\n2]")
    assert format_sources(sample_course) == [path]
    text = path.read_text(encoding="utf-8")
    cut = "numbers = [random.random() for _ in range(10)]"
    assert text == before.replace(cut, "numbers = [1, 2]"), "prose and other cells must stay"
    assert "format" not in {problem.rule for problem in chapter_text.check(sample_course)}


def test_formatted_chapters_are_not_written(sample_course: Path) -> None:
    assert format_sources(sample_course) == []


def test_broken_code_is_an_error_and_left_alone(sample_course: Path, edit_chapter: Edit) -> None:
    path = edit_chapter("guess = 0.5\n", "guess = (0.5\n")
    before = path.read_bytes()
    with pytest.raises(CourseError, match="ruff format: "):
        format_sources(sample_course)
    assert path.read_bytes() == before
