"""Updating a student's notebook: an older release of the real notebook with a student's work."""

import copy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum

from llm_course.classroom.cells import grade_id, is_solution
from llm_course.classroom.grade.student import update as updates
from llm_course.classroom.grade.student.merge import HEADING
from llm_course.classroom.grade.student.update import update
from llm_course.classroom.release.stubs import stub_line
from llm_course.errors import CourseError

ROOT = Path(__file__).parents[4]
KEY = "07_attention/self_attention"
ONE, TWO, THREE = "ex-07-1-scaled-dot-product", "ex-07-2-padding-mask", "ex-07-3-causal-mask"
FIVE = "ex-07-5-head-entropy"
FIRST = "def scaled_dot_product_attention(query, key, value, mask=None):\n    return value"
SECOND = "def padding_mask(tokens, pad_id):\n    return (tokens != pad_id)[:, None, None]"
GONE = "def norm(x):\n    return x.norm()"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A clone of the course: the real chapter and its real release."""
    root = tmp_path / "clone"
    for folder in ("solutions", "notebooks"):
        shutil.copytree(ROOT / folder / "07_attention", root / folder / "07_attention")
    shutil.copy(ROOT / "_config.yml", root / "_config.yml")
    return root


def released(course: Path) -> NotebookNode:
    return nbformat.read(course / "notebooks" / f"{KEY}.ipynb", as_version=4)


def index_of(notebook: NotebookNode, name: str) -> int:
    return next(i for i, cell in enumerate(notebook.cells) if grade_id(cell) == name)


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    return notebook.cells[index_of(notebook, name)]


def older(notebook: NotebookNode) -> NotebookNode:
    """An older release: one exercise had another name, one went since, one is new since."""
    old = copy.deepcopy(notebook)
    old.metadata.llm_course |= {"version": "0.0.9", "source": "0" * 64}
    for name in (TWO, TWO.replace("ex-", "test-"), TWO.replace("ex-", "test-") + "-hidden"):
        rename(cell_of(old, name), name.replace("padding-mask", "pad-tokens"))
    gone = copy.deepcopy(cell_of(old, ONE))
    gone.source = f"def norm(x):\n    {stub_line('ex-07-0-norm')}"
    rename(gone, "ex-07-0-norm")
    old.cells.insert(index_of(old, ONE), gone)
    first = index_of(old, FIVE)
    del old.cells[first - 1 : first + 3]
    old.cells[0].source += "\n\nA sentence that the course has dropped since."
    return old


def rename(cell: NotebookNode, name: str) -> None:
    """Give a graded cell another name, as a release with that name has it."""
    cell.source = cell.source.replace(cell.metadata.nbgrader["grade_id"], name)
    cell.metadata.nbgrader["grade_id"] = cell.id = name
    cell.metadata.nbgrader["checksum"] = compute_checksum(cell)


def worked(old: NotebookNode) -> NotebookNode:
    """The older release as a student left it."""
    mine = copy.deepcopy(old)
    cell_of(mine, ONE).source = FIRST
    cell_of(mine, "ex-07-2-pad-tokens").source = SECOND
    cell_of(mine, "ex-07-0-norm").source = GONE
    predicted = next(c for c in mine.cells if "guesses.write" in c.source)
    predicted.source = predicted.source.replace("low=None", "low=10")
    own = nbformat.v4.new_code_cell("padding_mask(torch.tensor([[1, 0]]), 0)")
    mine.cells.insert(index_of(mine, "test-07-2-pad-tokens") + 1, own)
    return mine


@pytest.fixture
def mine(course: Path, tmp_path: Path) -> Path:
    """The student's notebook, in a folder of theirs."""
    path = tmp_path / "homework" / "self_attention.ipynb"
    path.parent.mkdir()
    nbformat.write(worked(older(released(course))), path)
    return path


def git(root: Path, *arguments: str) -> None:
    """Run git in a repository of the test's own."""
    who = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)


def with_history(course: Path) -> None:
    """Commit the older release, then the newer one."""
    path = course / "notebooks" / f"{KEY}.ipynb"
    new = released(course)
    git(course, "init", "-q")
    for notebook in (older(new), new):
        nbformat.write(notebook, path)
        git(course, "add", ".")
        git(course, "commit", "-q", "-m", "release")


@pytest.mark.parametrize("history", [False, True])
def test_everything_moves_into_the_newer_release(course: Path, mine: Path, history: bool) -> None:
    if history:
        with_history(course)
    release = released(course)
    before = mine.read_bytes()
    done = update(mine, course)
    now = nbformat.read(mine, as_version=4)
    nbformat.validate(now)
    assert now.metadata == release.metadata
    assert cell_of(now, ONE).source == FIRST
    assert cell_of(now, TWO).source == SECOND, "renamed, found by the function's name"
    assert cell_of(now, THREE).source == cell_of(release, THREE).source
    assert cell_of(now, FIVE).source == cell_of(release, FIVE).source, "new, still to be answered"
    assert any("low=10" in cell.source for cell in now.cells), "a prediction is work too"
    after_test = now.cells[index_of(now, "test-07-2-padding-mask") + 1]
    assert after_test.source == "padding_mask(torch.tensor([[1, 0]]), 0)"
    assert now.cells[-2].source.startswith(HEADING)
    assert now.cells[-1].source == GONE
    assert [grade_id(c) for c in now.cells if grade_id(c)] == [
        grade_id(c) for c in release.cells if grade_id(c)
    ]
    assert done.backup.read_bytes() == before
    assert done.merged.answers == [ONE, TWO]
    assert done.merged.renamed == {"ex-07-2-pad-tokens": TWO}
    assert done.merged.left == ["your answer to ex-07-0-norm"]
    assert done.open == (THREE, "ex-07-4-multi-head", FIVE)


def test_history_tells_the_course_s_words_from_the_student_s(course: Path, mine: Path) -> None:
    dropped = "A sentence that the course has dropped since."
    with_history(course)
    update(mine, course)
    now = nbformat.read(mine, as_version=4)
    assert not any(dropped in cell.source for cell in now.cells)


def test_what_is_said(course: Path, mine: Path) -> None:
    version = released(course).metadata.llm_course.version
    said = str(update(mine, course)).split("\n")
    assert said[0] == f"{mine}: updated to release {version} (yours was 0.0.9)."
    assert said[1] == f"  answers moved: {ONE}, {TWO}"
    assert said[2] == f"  ex-07-2-pad-tokens is now {TWO}"
    assert f"  to be answered: {THREE}, ex-07-4-multi-head, {FIVE}" in said
    assert '  at the end, under "From your earlier notebook": your answer to ex-07-0-norm' in said
    assert said[-1].endswith("self_attention.before-update.ipynb")


def test_the_result_can_be_graded_and_updated_again(course: Path, mine: Path) -> None:
    update(mine, course)
    once = mine.read_bytes()
    again = update(mine, course)
    assert again.merged is None
    assert str(again).endswith(f"already the release of {KEY}; nothing was changed.")
    assert mine.read_bytes() == once
    assert len(list(mine.parent.iterdir())) == 2, "no second copy for nothing"


def test_an_earlier_copy_is_never_overwritten(course: Path, mine: Path) -> None:
    taken = mine.with_name("self_attention.before-update.ipynb")
    taken.write_text("precious")
    original = mine.read_bytes()
    assert update(mine, course).backup.name == "self_attention.before-update-2.ipynb"
    assert taken.read_text() == "precious"
    mine.write_bytes(original)
    third = update(mine, course).backup
    assert third.name == "self_attention.before-update-3.ipynb"
    assert third.read_bytes() == original


def test_a_release_with_missing_cells_is_made_whole(course: Path, mine: Path) -> None:
    student = released(course)
    cell_of(student, ONE).source = FIRST
    del student.cells[index_of(student, "test-07-3-causal-mask")]
    nbformat.write(student, mine)
    update(mine, course)
    now = nbformat.read(mine, as_version=4)
    assert cell_of(now, "test-07-3-causal-mask") == cell_of(
        released(course), "test-07-3-causal-mask"
    )
    assert cell_of(now, ONE).source == FIRST


def lost(student: NotebookNode) -> None:
    """Drop all metadata and give every cell another id."""
    student.metadata.clear()
    for number, cell in enumerate(student.cells):
        cell.metadata.clear()
        cell.id = f"x{number}"


def duplicated(student: NotebookNode) -> None:
    """Every solution and test cell twice, the copy of each answer unfinished."""
    cells = []
    for cell in student.cells:
        cells.append(cell)
        if grade_id(cell):
            twin = copy.deepcopy(cell)
            twin.id = f"{cell.id}-twin"
            cells.append(twin)
    student.cells = cells


@pytest.mark.parametrize("history", [False, True])
@pytest.mark.parametrize("damage", [lost, duplicated])
def test_damage_costs_no_answer(
    course: Path, mine: Path, damage: Callable[[NotebookNode], None], history: bool
) -> None:
    if history:
        with_history(course)
    student = nbformat.read(mine, as_version=4)
    damage(student)
    nbformat.write(student, mine)
    update(mine, course)
    now = nbformat.read(mine, as_version=4)
    assert cell_of(now, ONE).source == FIRST
    assert cell_of(now, TWO).source == SECOND
    assert any(cell.source == GONE for cell in now.cells)
    names = [grade_id(cell) for cell in now.cells if grade_id(cell)]
    assert names == [grade_id(cell) for cell in released(course).cells if grade_id(cell)]
    if history:
        assert len(now.cells) <= len(released(course).cells) + 5, "nothing of the course twice"


def test_another_file_name_does_not_matter(course: Path, mine: Path) -> None:
    other = mine.with_name("ada (1).ipynb")
    mine.rename(other)
    assert update(other, course).key == KEY
    assert (mine.parent / "ada (1).before-update.ipynb").is_file()


def test_a_notebook_edited_in_the_course_s_own_folder(course: Path, mine: Path) -> None:
    path = course / "notebooks" / f"{KEY}.ipynb"
    with_history(course)
    shutil.copy(mine, path)
    done = update(path, course)
    now = nbformat.read(path, as_version=4)
    assert cell_of(now, ONE).source == FIRST
    assert now.metadata.llm_course.source == done_source(course)
    assert done.backup == path.with_name("self_attention.before-update.ipynb")


def done_source(course: Path) -> str:
    """The stamp of the committed release."""
    shown = subprocess.run(
        ["git", "-C", str(course), "show", f"HEAD:notebooks/{KEY}.ipynb"],
        check=True,
        capture_output=True,
        text=True,
    )
    return nbformat.reads(shown.stdout, as_version=4).metadata.llm_course.source


def test_a_release_that_holds_answers_is_not_taken_for_one(course: Path, mine: Path) -> None:
    path = course / "notebooks" / f"{KEY}.ipynb"
    dirty = released(course)
    cell_of(dirty, THREE).source = "def causal_mask(n_queries, n_keys):\n    return 'not mine'"
    nbformat.write(dirty, path)
    with pytest.raises(CourseError, match="expected the release, got a notebook with answers"):
        update(mine, course)
    shutil.copy(ROOT / "notebooks" / f"{KEY}.ipynb", path)
    with_history(course)
    nbformat.write(dirty, path)
    update(mine, course)
    assert "not mine" not in mine.read_text()


def test_a_newer_notebook_is_refused(course: Path, mine: Path) -> None:
    student = nbformat.read(mine, as_version=4)
    student.metadata.llm_course["version"] = "99.0"
    nbformat.write(student, mine)
    before = mine.read_bytes()
    with pytest.raises(CourseError, match=r"got one of 99.0. Fix: .* git pull"):
        update(mine, course)
    assert mine.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "expected a notebook, got No such file"),
        (b"", "expected a notebook, got NotJSONError"),
        (b"\xff\xfe\x00", "expected a notebook, got UnicodeDecodeError"),
        (b"[]", "expected a notebook, got"),
        (
            b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}',
            "expected a notebook, got",
        ),
    ],
)
def test_what_is_no_notebook_is_left_alone(
    course: Path, mine: Path, content: bytes | None, message: str
) -> None:
    mine.unlink()
    if content is not None:
        mine.write_bytes(content)
    with pytest.raises(CourseError, match=message) as caught:
        update(mine, course)
    assert "Fix:" in str(caught.value) and "\n" not in str(caught.value)
    left = [path.name for path in mine.parent.iterdir()]
    assert left == ([] if content is None else [mine.name])


def test_a_notebook_of_another_course_is_refused(course: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")]), other)
    with pytest.raises(
        CourseError, match=f"expected a notebook of the course \\(.*{KEY}\\), got one"
    ):
        update(other, course)


def test_a_failure_while_writing_leaves_the_notebook(
    course: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = mine.read_bytes()

    def full(*_: object) -> None:
        raise CourseError("no space left on the disk")

    monkeypatch.setattr(updates, "atomic_write", full)
    with pytest.raises(CourseError, match="no space"):
        update(mine, course)
    assert mine.read_bytes() == before
    assert mine.with_name("self_attention.before-update.ipynb").read_bytes() == before


def test_all_answers_are_still_solution_cells(course: Path, mine: Path) -> None:
    update(mine, course)
    now = nbformat.read(mine, as_version=4)
    solutions = {grade_id(cell): cell.metadata for cell in now.cells if is_solution(cell)}
    assert solutions == {
        grade_id(cell): cell.metadata for cell in released(course).cells if is_solution(cell)
    }
