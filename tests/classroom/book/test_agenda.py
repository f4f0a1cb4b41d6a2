from pathlib import Path

import nbformat
import pytest

from llm_course.classroom.book.agenda import render
from llm_course.classroom.course import find_root
from llm_course.errors import CourseError

ROOT = find_root(Path(__file__).parent)


def notebook(**about):
    return nbformat.v4.new_notebook(metadata={"llm_course": about})


def test_every_chapter_is_in_the_agenda_and_nothing_exists_yet():
    lines = render(ROOT, {}).splitlines()[2:]
    assert [line.split("|")[1].strip() for line in lines] == [f"{n:02d}" for n in range(14)]
    assert all("to come" in line for line in lines)


def test_what_exists_is_linked_and_the_other_part_is_to_come():
    table = render(ROOT, {"07_attention/self_attention": notebook(title="Self", minutes=140)})
    [line] = [line for line in table.splitlines() if line.startswith("| 07 ")]
    assert "[Self](/07_attention/self_attention), 140 min" in line
    assert "*Efficient attention*: to come" in line


def test_a_chapter_with_every_part_has_nothing_to_come():
    there = {
        "07_attention/self_attention": notebook(title="Self"),
        "07_attention/efficient_attention": notebook(title="Efficient"),
    }
    [line] = [line for line in render(ROOT, there).splitlines() if line.startswith("| 07 ")]
    assert "to come" not in line


def test_a_notebook_outside_the_agenda_is_refused():
    with pytest.raises(CourseError, match=r"agenda\.yml: expected an entry for 99_magic"):
        render(ROOT, {"99_magic/tricks": notebook(title="Tricks")})
