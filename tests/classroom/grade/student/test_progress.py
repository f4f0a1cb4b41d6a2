"""Where a student stands, from copies of the real released notebook."""

import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from llm_course.classroom.cells import grade_id
from llm_course.classroom.grade.student.progress import (
    ExerciseProgress,
    NotebookProgress,
    next_step,
    progress,
    table,
)
from llm_course.errors import CourseError

ROOT = Path(__file__).parents[4]
KEY = "07_attention/self_attention"
ONE, TWO, FIVE = "ex-07-1-scaled-dot-product", "ex-07-2-padding-mask", "ex-07-5-head-entropy"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A student's copy of the released notebook."""
    path = tmp_path / "mine" / "self_attention.ipynb"
    path.parent.mkdir()
    return Path(shutil.copy(ROOT / "notebooks" / f"{KEY}.ipynb", path))


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if grade_id(cell) == name)


def write(path: Path, name: str, source: str) -> None:
    """Write an answer and run its cell."""
    notebook = nbformat.read(path, as_version=4)
    cell = cell_of(notebook, name)
    cell.source, cell.execution_count = source, 3
    nbformat.write(notebook, path)


def run(path: Path, name: str, error: str = "", count: int | None = 5) -> None:
    """Store what the visible test of an exercise said."""
    notebook = nbformat.read(path, as_version=4)
    cell = cell_of(notebook, name.replace("ex-", "test-"))
    cell.execution_count = count
    cell.outputs = [nbformat.v4.new_output("stream", text="some words\n")]
    if error:
        output = nbformat.v4.new_output(
            "error", ename="AssertionError", evalue=error, traceback=["\x1b[31mlong\x1b[0m"]
        )
        cell.outputs.append(output)
    nbformat.write(notebook, path)


def only(path: Path) -> NotebookProgress:
    """The progress in the only notebook of a folder."""
    (found,) = progress(ROOT, path.parent)
    return found


def exercise(path: Path, name: str) -> ExerciseProgress:
    return next(e for e in only(path).exercises if e.label == name)


def test_the_release_is_all_to_do(mine: Path) -> None:
    found = only(mine)
    assert found.title == "Self-attention, step by step"
    assert [e.label for e in found.exercises][:2] == [ONE, TWO]
    assert {(e.state, e.outcome, e.done) for e in found.exercises} == {("open", "not run", False)}
    assert [(e.title, e.points, e.minutes, e.optional) for e in found.exercises if e.label == ONE]
    assert exercise(mine, ONE).title == "Exercise 7.1: Scaled dot-product attention"
    assert (exercise(mine, ONE).points, exercise(mine, ONE).minutes) == (4, 20)
    assert [e.label for e in found.exercises if e.optional] == [FIVE]


def test_the_released_notebooks_are_looked_at_by_default() -> None:
    found = progress(ROOT)
    assert KEY in {"/".join(n.path.with_suffix("").parts[-2:]) for n in found}
    assert not any(n.outdated for n in found), "a release is not older than itself"


@pytest.mark.parametrize(
    ("source", "state"),
    [
        ("def padding_mask(tokens, pad_id):\n    return tokens != pad_id", "answered"),
        ("def padding_mask(tokens, pad_id):\n    return (tokens", "begun"),
        ("", "open"),
    ],
)
def test_states_of_an_answer(mine: Path, source: str, state: str) -> None:
    write(mine, TWO, source)
    assert exercise(mine, TWO).state == state
    assert exercise(mine, ONE).state == "open"


def test_outcomes_are_those_that_were_saved(mine: Path) -> None:
    write(mine, TWO, "def padding_mask(tokens, pad_id):\n    return tokens != pad_id")
    assert exercise(mine, TWO).outcome == "not run"
    run(mine, TWO, error="expected shape (2, 1, 1, 4), got\n(2, 4)")
    found = exercise(mine, TWO)
    assert (found.outcome, found.done) == ("failed", False)
    assert found.message == "AssertionError: expected shape (2, 1, 1, 4), got (2, 4)"[16:]
    run(mine, TWO)
    assert (exercise(mine, TWO).outcome, exercise(mine, TWO).done) == ("passed", True)
    run(mine, TWO, count=2)
    assert exercise(mine, TWO).outcome == "stale", "the answer ran after the test"


def test_an_error_wins_over_the_count(mine: Path) -> None:
    run(mine, TWO, error="x", count=None)
    assert exercise(mine, TWO).outcome == "failed"


def test_several_cells_of_one_answer_are_one_exercise(mine: Path) -> None:
    notebook = nbformat.read(mine, as_version=4)
    index = next(i for i, cell in enumerate(notebook.cells) if grade_id(cell) == TWO)
    again = nbformat.from_dict(json.loads(json.dumps(notebook.cells[index])))
    again.id, again.source = "copy", "def padding_mask(tokens, pad_id):\n    return tokens"
    notebook.cells.insert(index + 1, again)
    nbformat.write(notebook, mine)
    found = only(mine)
    assert [e.label for e in found.exercises].count(TWO) == 1
    assert exercise(mine, TWO).state == "answered"
    assert exercise(mine, TWO).points == 3, "a copied answer gives no more points"


def test_lost_metadata_leave_the_names(mine: Path) -> None:
    write(mine, TWO, "def padding_mask(tokens, pad_id):\n    return tokens != pad_id")
    run(mine, TWO)
    notebook = nbformat.read(mine, as_version=4)
    for cell in notebook.cells:
        cell.metadata.clear()
    notebook.metadata.clear()
    nbformat.write(notebook, mine)
    found = exercise(mine, TWO)
    assert (found.state, found.outcome, found.points) == ("answered", "passed", 0)
    assert only(mine).title == "self_attention"
    assert len(only(mine).exercises) == 5


def test_what_comes_next(mine: Path) -> None:
    found = progress(ROOT, mine.parent)
    assert next_step(found)[1].label == ONE
    assert table(found).endswith(
        f"Next: write Exercise 7.1: Scaled dot-product attention in {mine}, about 20 minutes.\n"
    )
    for e in only(mine).exercises:
        write(mine, e.label, f"def anything():\n    return {len(e.label)}")
        if e.label != FIVE:
            run(mine, e.label)
    assert "Next: run the visible test of Exercise 7.5" in table(progress(ROOT, mine.parent))
    run(mine, FIVE, error="not quite")
    assert "Next: mend Exercise 7.5" in table(progress(ROOT, mine.parent))
    run(mine, FIVE)
    assert next_step(progress(ROOT, mine.parent)) is None
    assert table(progress(ROOT, mine.parent)).endswith("All exercises are done.\n")


def test_an_optional_exercise_waits_for_the_others(mine: Path) -> None:
    later = mine.with_name("z_later.ipynb")
    shutil.copy(mine, later)
    for e in only_core(mine):
        write(mine, e.label, "def anything():\n    return 1")
        run(mine, e.label)
    path, e = next_step(progress(ROOT, mine.parent))
    assert (path, e.label) == (later, ONE)


def only_core(path: Path) -> list[ExerciseProgress]:
    """The exercises of a notebook that are not optional."""
    found = next(n for n in progress(ROOT, path.parent) if n.path == path)
    return [e for e in found.exercises if not e.optional]


def test_the_table_says_what_is_there(mine: Path) -> None:
    write(mine, ONE, "def scaled_dot_product_attention(q, k, v, mask=None):\n    return v")
    run(mine, ONE)
    write(mine, TWO, "def padding_mask(tokens, pad_id):\n    return tokens")
    run(mine, TWO, error="expected a boolean mask")
    lines = table(progress(ROOT, mine.parent)).split("\n")
    assert lines[0] == "Self-attention, step by step (self_attention.ipynb)"
    title = "Exercise 7.1: Scaled dot-product attention"
    assert re.fullmatch(rf"  ✓ {title} +4 points  answered, visible test passed", lines[1])
    assert lines[2].endswith("answered, visible test failed")
    assert lines[3].strip() == "expected a boolean mask"
    assert "  Done: 1 of 5 exercises, 4 of 18 points, if the hidden tests agree." in lines


def test_an_older_release_is_named(mine: Path) -> None:
    assert not only(mine).outdated
    notebook = nbformat.read(mine, as_version=4)
    notebook.metadata.llm_course["source"] = "0" * 64
    nbformat.write(notebook, mine)
    assert only(mine).outdated
    said = table(progress(ROOT, mine.parent))
    assert f"A newer release is here: llm-course validate --update {mine}" in said


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"nbformat": 4, "cells": [1]}'])
def test_a_broken_notebook_hides_no_other(mine: Path, text: str) -> None:
    mine.with_name("broken.ipynb").write_text(text)
    broken, whole = progress(ROOT, mine.parent)
    assert broken.fault.startswith("cannot be read (")
    assert len(whole.exercises) == 5
    assert "cannot be read" in table([broken, whole])


def test_copies_that_tools_keep_and_other_notebooks_do_not_count(mine: Path) -> None:
    hidden = mine.parent / ".ipynb_checkpoints" / "self_attention-checkpoint.ipynb"
    hidden.parent.mkdir()
    for name in (hidden, mine.with_name("self_attention.before-update.ipynb"),
                 mine.with_name("self_attention.before-update-2.ipynb")):  # fmt: skip
        shutil.copy(mine, name)
    nbformat.write(nbformat.v4.new_notebook(), mine.with_name("scratch.ipynb"))
    assert only(mine).path == mine


def test_titles_cannot_command_a_terminal(mine: Path) -> None:
    notebook = nbformat.read(mine, as_version=4)
    notebook.metadata.llm_course["title"] = "A \x1b[31mred\x1b[0m\ntitle"
    nbformat.write(notebook, mine)
    run(mine, ONE, error="\x1b]0;window\x07told")
    said = table(progress(ROOT, mine.parent))
    assert "\x1b" not in said and "\x07" not in said
    assert said.startswith("A red title (")


def test_no_notebook_is_an_error(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(CourseError, match="expected a folder with notebooks, got none. Fix:"):
            progress(ROOT, folder)


def test_nothing_is_executed(mine: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    write(mine, ONE, f"open({str(trace)!r}, 'w')\ndef f():\n    return 1")
    before = mine.read_bytes()
    table(progress(ROOT, mine.parent))
    assert not trace.exists()
    assert mine.read_bytes() == before
