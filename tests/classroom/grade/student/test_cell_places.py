"""Recognising a student's cell: by grade id, by id, by text, by the function it defines."""

import copy
import hashlib

import nbformat
import pytest
from nbformat import NotebookNode

from llm_course.classroom.grade.marking.assignment import Assignment, Question
from llm_course.classroom.grade.student.cell_places import Places

STUB = 'def one(x):\n    raise NotImplementedError("ex-00-1-one: write your answer here")'
TEST = "assert one(1) == 1, 'one of 1'\nprint('Visible tests passed.')"


def course_s(kind: str, source: str, occurrence: int = 1) -> NotebookNode:
    """A cell of a release, whose id is the hash of its text."""
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    digest = hashlib.sha256(f"{occurrence}\n{kind}\n{source}".encode()).hexdigest()
    return make(source, id=digest[:12])


def graded(name: str, source: str, **grading: bool) -> NotebookNode:
    """A cell with nbgrader's metadata, without a checksum."""
    return nbformat.v4.new_code_cell(
        source, id=name, metadata={"nbgrader": {"grade_id": name, **grading}}
    )


INTRO, DEMO = course_s("markdown", "# Lesson"), course_s("code", "print(1)")
ANSWER = graded("ex-00-1-one", STUB, solution=True)
CHECK = graded("test-00-1-one", TEST, grade=True)
RELEASE = nbformat.v4.new_notebook(cells=[INTRO, DEMO, ANSWER, CHECK])
OLD_TEXT, OLD_CODE = course_s("markdown", "Old text."), course_s("code", "old = 1")
BEFORE = nbformat.v4.new_notebook(cells=[INTRO, OLD_TEXT, OLD_CODE, ANSWER, CHECK])


def places(began_with: NotebookNode | None = None, ids: str = "kept") -> Places:
    """The places of the release above."""
    question = Question(
        grade_id="ex-00-1-one", title="", functions=("one",), solution="", stub=STUB, tests=()
    )
    assignment = Assignment(
        chapter="00_sample",
        name="lesson",
        title="",
        version="",
        setup=(),
        questions=(question,),
        release=RELEASE,
    )
    known = [cell.id for cell in RELEASE.cells] if ids == "kept" else ["x0", None]
    return Places(assignment, began_with, known)


def changed(cell: NotebookNode, source: str = "", **fields: object) -> NotebookNode:
    """A copy of a cell with another text, id or metadata."""
    other = copy.deepcopy(cell)
    other.source = source or other.source
    return nbformat.from_dict(other | fields)


def test_by_grade_id_whatever_else_changed() -> None:
    cell = changed(ANSWER, "def two(x): ...", id="other")
    assert places().index(cell) == 2
    assert places().index(changed(CHECK, "pass", id="other")) == 3


def test_by_id_when_the_metadata_are_lost() -> None:
    assert places().index(changed(ANSWER, "x", metadata={})) == 2
    assert places().index(changed(DEMO, "print(2)")) == 1


def test_by_text_only_when_all_ids_are_lost() -> None:
    stranger = changed(DEMO, id="x0")
    assert places(ids="lost").index(stranger) == 1
    assert places(ids="kept").index(stranger) is None
    assert places(ids="lost").index(changed(DEMO, "print(1)  \n\n", id="x0")) == 1


def test_by_the_function_that_is_asked_for() -> None:
    own = nbformat.v4.new_code_cell("def helper(): ...\ndef one(x):\n    return x")
    assert places().index(own) == 2
    assert places().index(nbformat.v4.new_code_cell("def other(x): ...")) is None
    assert places().index(nbformat.v4.new_markdown_cell("def one(x): ...")) is None
    renamed = graded("ex-00-9-uno", "def one(x):\n    return x", solution=True)
    assert places().index(renamed) == 2


def test_a_test_is_no_answer_whatever_it_defines() -> None:
    gone = graded("test-00-9-gone", "def one(x): ...", grade=True)
    assert places().index(gone) is None


@pytest.mark.parametrize("cell", [INTRO, DEMO, ANSWER, CHECK], ids=lambda cell: cell.id)
def test_the_release_itself_is_unchanged(cell: NotebookNode) -> None:
    for ids in ("kept", "lost"):
        assert places(ids=ids).is_unchanged(cell)
    assert not places().is_unchanged(changed(cell, "something else"))


def test_an_old_text_is_known_by_the_old_release() -> None:
    for cell in (OLD_TEXT, OLD_CODE):
        assert places(BEFORE).is_unchanged(cell)
        assert not places(BEFORE).is_unchanged(changed(cell, "edited"))
        assert not places(BEFORE).is_unclear(changed(cell, "edited"))


def test_without_it_code_is_known_by_its_id_and_text_is_unclear() -> None:
    assert places().is_unchanged(OLD_CODE)
    assert places().is_unchanged(course_s("code", "old = 1", occurrence=2))
    assert not places().is_unchanged(changed(OLD_CODE, "old = 2"))
    assert places().is_unclear(OLD_TEXT)
    assert not places().is_unclear(OLD_CODE)
    assert not places().is_unclear(changed(INTRO, "edited")), "the release has that cell"


def test_whose_a_cell_is() -> None:
    mine = nbformat.v4.new_code_cell("mine = 1")
    for cell in (INTRO, DEMO, ANSWER, CHECK, OLD_TEXT):
        assert places(BEFORE).is_the_course_s(changed(cell, "edited"))
    assert not places(BEFORE).is_the_course_s(mine)
    assert not places(BEFORE).is_the_course_s(changed(DEMO, id="copy")), "a copy is the student's"
    assert not places(ids="lost").is_the_course_s(mine)
    nearly = nbformat.v4.new_code_cell(TEST.replace("passed", "went well"))
    assert places(ids="lost").is_the_course_s(nearly)


def test_an_answer_in_an_own_cell_tells_no_place() -> None:
    own = nbformat.v4.new_code_cell("def one(x):\n    return x")
    assert not places().tells_the_place(own)
    assert places(ids="lost").tells_the_place(own)
    assert places().tells_the_place(changed(ANSWER, "def one(x):\n    return x"))
