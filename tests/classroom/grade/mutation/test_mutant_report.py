"""The page about the tests: counts for everybody, mutants for instructors."""

from collections.abc import Callable
from pathlib import Path

import pytest

from llm_course.classroom.grade.mutation.mutant_record import (
    Slip,
    Tally,
    course_exercises,
    fingerprint,
    save,
)
from llm_course.classroom.grade.mutation.mutant_report import render_page

SECRET = "return sum(numbers) / len(numbers)"
SURVIVOR = Slip(kind="off by one", line=4, was=SECRET, becomes="return sum(numbers) / 2")
EQUIVALENT = Slip(
    kind="other text", line=4, was="x = `a`", becomes="x", reason="No name holds a backtick."
)


@pytest.fixture
def recorded(sample_course: Path) -> Path:
    """The sample course with a record of two of its four exercises."""
    found = {}
    for notebook, exercise in course_exercises(sample_course):
        found[exercise.label] = Tally(
            label=exercise.label,
            notebook=notebook.key,
            fingerprint=fingerprint(exercise, ()),
            mutants=12,
            by_visible=6,
            by_hidden=3,
            by_limit=1,
        )
    mean = found["ex-07-1-mean"]
    mean = Tally(**(vars(mean) | {"survivors": (SURVIVOR,), "equivalent": (EQUIVALENT,)}))
    save(sample_course, [mean, found["ex-07-2-limit"]])
    return sample_course


def row(page: str, name: str) -> list[str]:
    """The cells of an exercise's row."""
    line = next(line for line in page.split("\n") if line.startswith(f"| {{ref}}`{name} "))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_each_exercise_has_its_counts(recorded: Path) -> None:
    page = render_page(recorded)
    mean = row(page, "07-1-mean")
    assert mean == ["{ref}`07-1-mean <ex-07-1-mean>`", "12", "6", "3", "1", "1", "1", "91%"]
    assert row(page, "07-2-limit")[1:] == ["12", "6", "3", "1", "0", "0", "100%"]
    assert row(page, "07-3-totals")[1] == "to come"
    assert "## Chapter 7: sample" in page


def test_the_summary_adds_up(recorded: Path) -> None:
    page = render_page(recorded)
    assert "**20 of 21** mutants that can be killed are (95.2%), in 2 of 4 exercises" in page
    assert "the lowest share of an exercise is 91%, at least 90% is demanded." in page
    assert (
        "*Recorded by `python -m llm_course.classroom.grade.mutation.mutants --write`; python 3."
        in page
    )


def test_every_row_has_the_columns_of_the_head(recorded: Path) -> None:
    lines = [line for line in render_page(recorded).split("\n") if line.startswith("|")]
    assert len(lines) == 2 + 4
    assert {line.count("|") for line in lines} == {9}


def test_a_reader_sees_no_line_of_a_solution(recorded: Path) -> None:
    for_readers, for_instructors = (
        render_page(recorded),
        render_page(recorded, edition="instructor"),
    )
    for text in (SECRET, SURVIVOR.becomes, EQUIVALENT.reason, "Survivors**"):
        assert text not in for_readers
        assert text in for_instructors
    assert f"- 07-1-mean, line 4 of the answer, off by one: `{SECRET}` becomes" in for_instructors
    assert "`` x = `a` `` becomes `x`. No name holds a backtick." in for_instructors


def test_an_exercise_that_changed_since_is_stale(
    recorded: Path, edit_chapter: Callable[[str, str], Path]
) -> None:
    edit_chapter("assert limit(3, 0, 5) == 3", "assert limit(2, 0, 5) == 2")
    page = render_page(recorded)
    assert row(page, "07-2-limit")[-1] == "100% (↻ stale)"
    assert row(page, "07-1-mean")[-1] == "91%"


def test_without_a_record_the_page_says_so(sample_course: Path) -> None:
    page = render_page(sample_course, edition="instructor")
    assert "No run has been recorded yet." in page
    assert row(page, "07-4-spread")[1] == "to come"
