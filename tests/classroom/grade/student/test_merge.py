"""Moving a student's cells into another release, on a notebook of ten cells."""

import copy
import hashlib

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum

from llm_course.classroom.grade.marking.assignment import Assignment, Question, Test
from llm_course.classroom.grade.student.merge import HEADING, Merged, merge


def released(kind: str, source: str) -> NotebookNode:
    """A cell of the course: its id is the hash of its text."""
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    name = hashlib.sha256(f"1\n{kind}\n{source}".encode()).hexdigest()[:12]
    return make(source, id=name)


def graded(name: str, source: str) -> NotebookNode:
    """A solution or test cell as nbgrader releases it."""
    solution = name.startswith("ex-")
    made = nbformat.v4.new_code_cell(source, id=name)
    made.metadata["nbgrader"] = {
        "grade_id": name,
        "grade": not solution,
        "solution": solution,
        "locked": not solution,
        "schema_version": 3,
        "cell_type": "code",
        "task": False,
        **({} if solution else {"points": 1}),
    }
    made.metadata["deletable"] = False
    made.metadata.nbgrader["checksum"] = compute_checksum(made)
    return made


def exercise(name: str, function: str) -> list[NotebookNode]:
    """The statement, the stub and the test of an exercise."""
    stub = f'def {function}(x):\n    raise NotImplementedError("{name}: write your answer here")'
    test = name.replace("ex-", "test-")
    return [
        released("markdown", f"### Exercise: {function}"),
        graded(name, stub),
        graded(test, f"assert {function}(1) == 1, '{function} of 1'\nprint('Passed.')"),
    ]


def notebook(*cells: NotebookNode) -> NotebookNode:
    """A copy of the cells as a notebook."""
    return nbformat.v4.new_notebook(cells=copy.deepcopy(list(cells)))


INTRO = released("markdown", "# The lesson")
IMPORTS = released("code", "import math")
DEMO = released("code", "print(math.pi)")
END = released("markdown", "## What to remember")
ONE = exercise("ex-00-1-one", "one")
TWO = exercise("ex-00-2-two", "two")
RELEASE = notebook(INTRO, IMPORTS, DEMO, *ONE, *TWO, END)


def assignment(release: NotebookNode = RELEASE) -> Assignment:
    """The assignment of a release."""
    names = [c.id for c in release.cells if c.id.startswith("ex-")]
    return Assignment(
        chapter="00_sample",
        name="lesson",
        title="The lesson",
        version="0.2",
        setup=("import math",),
        questions=tuple(
            Question(
                grade_id=name,
                title=name,
                functions=(name.split("-")[-1],),
                solution="",
                stub="",
                tests=(Test(grade_id=name, points=1, source="", hidden=False),),
            )
            for name in names
        ),
        release=release,
    )


def own(source: str, kind: str = "code") -> NotebookNode:
    """A cell that a student added; Jupyter gives it an id of its own."""
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source)


def answered(student: NotebookNode, name: str, source: str) -> NotebookNode:
    """The notebook with an answer written."""
    next(c for c in student.cells if c.id == name).source = source
    return student


def sources(merged: Merged) -> list[str]:
    """The texts of the merged notebook, which must be valid."""
    nbformat.validate(merged.notebook)
    ids = [cell.id for cell in merged.notebook.cells]
    assert len(set(ids)) == len(ids)
    return [cell.source for cell in merged.notebook.cells]


def by_id(merged: Merged, name: str) -> NotebookNode:
    """The merged cell of this id."""
    (found,) = [cell for cell in merged.notebook.cells if cell.id == name]
    return found


UNCHANGED = [cell.source for cell in RELEASE.cells]
FIRST = "def one(x):\n    return x"


def test_an_untouched_notebook_becomes_the_release() -> None:
    found = merge(RELEASE, assignment(), RELEASE)
    assert found.notebook == RELEASE
    assert (found.answers, found.added, found.edited, found.left) == ([], 0, 0, [])


def test_an_answer_goes_to_its_grade_id_and_stays_gradable() -> None:
    found = merge(answered(notebook(*RELEASE.cells), "ex-00-1-one", FIRST), assignment(), None)
    cell = by_id(found, "ex-00-1-one")
    assert cell.source == FIRST
    assert cell.metadata == RELEASE.cells[4].metadata
    assert found.answers == ["ex-00-1-one"]
    assert [text for text in sources(found) if text != FIRST] == [
        text for text in UNCHANGED if "def one" not in text
    ]


def test_the_given_notebooks_are_not_changed() -> None:
    student = answered(notebook(*RELEASE.cells), "ex-00-1-one", FIRST)
    student.cells.insert(3, own("mine"))
    before, release = copy.deepcopy(student), copy.deepcopy(RELEASE)
    merge(student, assignment(), RELEASE)
    assert (student, release) == (before, RELEASE)


@pytest.mark.parametrize("began_with", [None, "known"])
def test_a_renamed_exercise_is_found_by_its_function(began_with: str | None) -> None:
    old = notebook(INTRO, *exercise("ex-00-1-first", "one"), *TWO, END)
    student = answered(copy.deepcopy(old), "ex-00-1-first", FIRST)
    found = merge(student, assignment(), old if began_with else None)
    assert by_id(found, "ex-00-1-one").source == FIRST
    assert found.renamed == {"ex-00-1-first": "ex-00-1-one"}
    assert found.left == []
    assert sum("def one" in text for text in sources(found)) == 1


@pytest.mark.parametrize("began_with", [None, "known"])
def test_the_answer_to_a_removed_exercise_comes_last(began_with: str | None) -> None:
    old = notebook(INTRO, *exercise("ex-00-9-gone", "gone"), *ONE, *TWO, END)
    answer = "def gone(x):\n    return 9"
    student = answered(copy.deepcopy(old), "ex-00-9-gone", answer)
    found = merge(student, assignment(), old if began_with else None)
    *before, heading, last = sources(found)
    assert before == UNCHANGED
    assert heading == (
        f"{HEADING}\n\nThis release has no place for these cells of yours:\n\n"
        "- your answer to ex-00-9-gone"
    )
    assert last == answer
    assert "nbgrader" not in found.notebook.cells[-1].metadata, "it would be an unknown exercise"
    assert found.notebook.cells[-1].metadata.get("deletable", True)


def test_a_removed_exercise_without_an_answer_goes() -> None:
    old = notebook(INTRO, *exercise("ex-00-9-gone", "gone"), *ONE, *TWO, END)
    for began_with in (old, None):
        found = merge(old, assignment(), began_with)
        assert sources(found) == UNCHANGED
        assert found.left == []


def test_a_new_exercise_waits_with_its_stub() -> None:
    old = notebook(INTRO, IMPORTS, DEMO, *ONE, END)
    found = merge(answered(copy.deepcopy(old), "ex-00-1-one", FIRST), assignment(), old)
    assert found.answers == ["ex-00-1-one"]
    assert by_id(found, "ex-00-2-two").source == TWO[1].source


def test_own_cells_follow_the_cell_they_followed() -> None:
    student = notebook(
        own("first of all"), INTRO, IMPORTS, DEMO, own("after the demo"),
        own("*and a note*", "markdown"), *ONE, own("try one(3)"), *TWO, END, own("the end"),
    )  # fmt: skip
    found = merge(student, assignment(), RELEASE)
    texts = sources(found)
    assert [text for text in texts if text in UNCHANGED] == UNCHANGED
    for before, after in (
        (DEMO.source, "after the demo"),
        ("after the demo", "*and a note*"),
        (ONE[2].source, "try one(3)"),
        (END.source, "the end"),
    ):
        assert texts[texts.index(before) + 1] == after
    assert texts[0] == "first of all"
    assert (found.added, found.left) == (5, [])


def test_own_cells_keep_their_outputs_and_ids() -> None:
    cell = own("1 + 1")
    cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2"})]
    found = merge(notebook(INTRO, cell), assignment(), RELEASE)
    assert by_id(found, cell.id) == cell


def test_a_cell_of_its_own_that_answers_an_exercise_is_its_answer() -> None:
    student = notebook(*RELEASE.cells[:6], own(FIRST), *RELEASE.cells[6:])
    found = merge(student, assignment(), RELEASE)
    assert by_id(found, "ex-00-1-one").source == FIRST
    assert (found.answers, found.added) == (["ex-00-1-one"], 0)


def test_an_answer_at_the_end_does_not_draw_what_follows_after_it() -> None:
    student = notebook(*RELEASE.cells, own(FIRST), own("one(3)"))
    texts = sources(merge(student, assignment(), RELEASE))
    assert FIRST in texts and texts[-1] == "one(3)"


def test_several_cells_of_one_answer_become_one_in_their_order() -> None:
    student = notebook(*RELEASE.cells)
    again = copy.deepcopy(student.cells[4])
    again.id, again.source = "copy", "def one(x):\n    return x  # better"
    stub = copy.deepcopy(student.cells[4])
    stub.id = "another"
    student.cells[5:5] = [again, stub, copy.deepcopy(again)]
    student.cells[7].id = "third"
    answered(student, "ex-00-1-one", FIRST)
    found = merge(student, assignment(), RELEASE)
    assert by_id(found, "ex-00-1-one").source == f"{FIRST}\n\n{again.source}"
    assert len(sources(found)) == len(UNCHANGED)


def test_an_edited_cell_of_the_course_takes_its_place() -> None:
    student = notebook(*RELEASE.cells)
    student.cells[2].source = "print(math.tau)"
    student.cells[0].source = "# The lesson\n\nMy note."
    for began_with in (RELEASE, None):
        found = merge(student, assignment(), began_with)
        assert by_id(found, DEMO.id).source == "print(math.tau)"
        assert by_id(found, INTRO.id).source == "# The lesson\n\nMy note."
        assert (found.edited, found.added, found.left) == (2, 0, [])


@pytest.mark.parametrize("began_with", [None, "known"])
def test_an_edited_cell_that_went_comes_last(began_with: str | None) -> None:
    old = notebook(INTRO, IMPORTS, released("code", "old = 1"), *ONE, *TWO, END)
    student = copy.deepcopy(old)
    student.cells[2].source = "old = 1\nprint(old)"
    found = merge(student, assignment(), old if began_with else None)
    assert found.left == ["your version of the code cell “old = 1”"]
    assert sources(found)[-1] == "old = 1\nprint(old)"
    untouched = merge(old, assignment(), old if began_with else None)
    assert sources(untouched) == UNCHANGED, "an old cell as it was is not the student's"


def test_notes_in_a_text_that_went_are_kept_when_the_old_release_is_known() -> None:
    old = notebook(INTRO, released("markdown", "An old text."), *ONE, *TWO, END)
    student = copy.deepcopy(old)
    student.cells[1].source += " And my note."
    known = merge(student, assignment(), old)
    assert sources(known)[-1] == "An old text. And my note."
    assert known.left == ["your version of the markdown cell “An old text. And my note.”"]
    unknown = merge(student, assignment(), None)
    assert (unknown.unclear, sources(unknown)) == (1, UNCHANGED)


def test_an_edited_test_is_kept_but_not_as_a_test() -> None:
    student = answered(notebook(*RELEASE.cells), "test-00-1-one", "assert True  # mine")
    found = merge(student, assignment(), RELEASE)
    assert by_id(found, "test-00-1-one").source == ONE[2].source
    assert found.left == ["your version of test-00-1-one"]
    assert found.notebook.cells[-1].source == "assert True  # mine"


def test_a_test_that_the_course_changed_is_not_the_student_s() -> None:
    old = notebook(*RELEASE.cells)
    old.cells[5] = graded("test-00-1-one", "assert one(2) == 2")
    for began_with in (old, None):
        assert sources(merge(old, assignment(), began_with)) == UNCHANGED


def lose(student: NotebookNode, ids: str) -> NotebookNode:
    """The notebook after a tool that drops all metadata, and gives other ids or none."""
    student.metadata.clear()
    for number, cell in enumerate(student.cells):
        cell.metadata.clear()
        if ids == "other ids":
            cell.id = f"x{number}"
        elif ids == "no ids":
            del cell["id"]
            student.nbformat_minor = 4
    return student


@pytest.mark.parametrize("ids", ["ids kept", "other ids", "no ids"])
@pytest.mark.parametrize("began_with", [None, "known"])
def test_lost_metadata_cost_nothing(ids: str, began_with: str | None) -> None:
    student = answered(notebook(*RELEASE.cells), "ex-00-1-one", FIRST)
    student.cells.insert(3, own("mine"))
    found = merge(lose(student, ids), assignment(), RELEASE if began_with else None)
    texts = sources(found)
    assert by_id(found, "ex-00-1-one").source == FIRST
    assert by_id(found, "ex-00-1-one").metadata == RELEASE.cells[4].metadata
    assert by_id(found, "ex-00-2-two").source == TWO[1].source
    assert texts[texts.index(DEMO.source) + 1] == "mine"
    assert len(texts) == len(UNCHANGED) + 1
    assert (found.answers, found.added, found.left) == (["ex-00-1-one"], 1, [])


def test_without_any_trace_nothing_is_lost() -> None:
    old = notebook(*RELEASE.cells)
    old.cells[2] = released("code", "print('an old demo')")
    old.cells[5] = graded("test-00-1-one", ONE[2].source.replace("Passed", "All passed"))
    student = lose(answered(copy.deepcopy(old), "ex-00-1-one", FIRST), "other ids")
    found = merge(student, assignment(), None)
    texts = sources(found)
    assert by_id(found, "ex-00-1-one").source == FIRST
    assert texts[texts.index(IMPORTS.source) + 1] == "print('an old demo')"
    assert texts[-1] == old.cells[5].source, "perhaps the course's, perhaps not: it is kept"


def test_a_copy_of_a_course_s_cell_is_the_student_s_own() -> None:
    student = notebook(*RELEASE.cells[:3], own(DEMO.source), own("then this"), *RELEASE.cells[3:])
    texts = sources(merge(student, assignment(), RELEASE))
    assert texts[2:5] == [DEMO.source, DEMO.source, "then this"]


def test_two_cells_of_one_id_are_both_kept() -> None:
    student = notebook(*RELEASE.cells)
    one, two = own("one of two"), own("two of two")
    one.id = two.id = DEMO.id
    one.metadata["tags"] = ["mine"]
    student.cells[3:3] = [one, two]
    texts = sources(merge(student, assignment(), RELEASE))
    assert {"one of two", "two of two"} <= set(texts)


def test_empty_cells_and_other_cell_types() -> None:
    raw = nbformat.v4.new_raw_cell("raw text")
    student = notebook(INTRO, own(""), own("  \n", "markdown"), raw, *RELEASE.cells[1:])
    found = merge(student, assignment(), RELEASE)
    assert sources(found) == [INTRO.source, "raw text", *UNCHANGED[1:]]
    assert found.notebook.cells[1].cell_type == "raw"


def test_a_course_s_cell_of_another_type_comes_last() -> None:
    student = notebook(*RELEASE.cells)
    student.cells[2] = nbformat.v4.new_markdown_cell("I turned this into text.", id=DEMO.id)
    found = merge(student, assignment(), RELEASE)
    assert by_id(found, DEMO.id).source == DEMO.source
    assert sources(found)[-1] == "I turned this into text."


def test_an_answer_in_a_text_cell_becomes_code_again() -> None:
    student = notebook(*RELEASE.cells)
    text = nbformat.v4.new_markdown_cell(FIRST, id="ex-00-1-one")
    text.metadata = copy.deepcopy(student.cells[4].metadata)
    student.cells[4] = text
    found = merge(student, assignment(), RELEASE)
    assert (by_id(found, "ex-00-1-one").cell_type, by_id(found, "ex-00-1-one").source) == (
        "code",
        FIRST,
    )


def test_damaged_outputs_do_not_spoil_the_notebook() -> None:
    cell = own("1 + 1")
    cell["outputs"] = [{"output_type": "nonsense"}]
    bare = own("2 + 2")
    del bare["outputs"], bare["execution_count"]
    student = notebook(INTRO)
    student.cells += [cell, bare]
    found = merge(student, assignment(), RELEASE)
    assert sources(found)[1:3] == ["1 + 1", "2 + 2"]
    assert found.notebook.cells[1].outputs == []


def test_merging_again_changes_nothing() -> None:
    old = notebook(INTRO, *exercise("ex-00-9-gone", "gone"), *ONE, *TWO, END)
    student = answered(copy.deepcopy(old), "ex-00-9-gone", "def gone(x):\n    return 9")
    student.cells.insert(1, own("mine"))
    once = merge(answered(student, "ex-00-1-one", FIRST), assignment(), old)
    twice = merge(once.notebook, assignment(), RELEASE)
    assert twice.notebook == once.notebook


def test_a_heading_that_is_there_is_not_written_again() -> None:
    old = notebook(*RELEASE.cells, *exercise("ex-00-9-gone", "gone"))
    heading = own(f"{HEADING}\n\nFrom an earlier update.", "markdown")
    student = answered(copy.deepcopy(old), "ex-00-9-gone", "def gone(x):\n    return 9")
    student.cells += [heading, own("older")]
    texts = sources(merge(student, assignment(), old))
    assert texts[len(UNCHANGED) :] == [heading.source, "older", "def gone(x):\n    return 9"]
