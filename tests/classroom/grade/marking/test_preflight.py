"""The rebuilt notebook: the course's set-up and tests, the student's answers."""

import json
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.classroom.grade.marking import preflight
from llm_course.classroom.grade.marking.assignment import of_nbgrader
from llm_course.classroom.grade.marking.preflight import RebuiltCell, rebuild

CASES = Path(__file__).parents[3] / "grading" / "cases"
DEMO = of_nbgrader("ps1", CASES / "assignment/source.ipynb", CASES / "assignment/release.ipynb")
SOLVED = (CASES / "assignment" / "solved.ipynb").read_bytes()
ANSWERS = rebuild(DEMO, SOLVED).answers


def edited(change):
    """The rebuilt solved notebook after a change."""
    notebook = nbformat.reads(SOLVED.decode(), 4)
    change(notebook)
    return rebuild(DEMO, json.dumps(notebook).encode())


def named(notebook, name):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def test_a_solved_notebook():
    rebuilt = rebuild(DEMO, SOLVED)
    assert [(cell.kind, cell.grade_id) for cell in rebuilt.cells] == [
        ("setup", ""),
        ("answer", "sol_softmax"),
        ("answer", "sol_pair"),
    ]
    assert "np.exp" in rebuilt.answers["sol_softmax"] and rebuilt.faults == ()


def test_a_release_as_it_was_given_has_the_stubs():
    rebuilt = rebuild(DEMO, (CASES / "assignment" / "release.ipynb").read_bytes())
    assert rebuilt.answers == {q.grade_id: q.stub for q in DEMO.questions}


HONEST = ["s01_deleted_test_solved", "s03_dup_test_solved", "s10_schema_version_lost",
          "s11_all_cell_metadata_lost"]  # fmt: skip


@pytest.mark.parametrize("case", HONEST)
def test_honest_damage_costs_nothing(case):
    rebuilt = rebuild(DEMO, (CASES / "submissions" / case / "p.ipynb").read_bytes())
    assert rebuilt.answers == ANSWERS
    assert not any(fault.cost for fault in rebuilt.faults)
    assert {cell.kind for cell in rebuilt.cells} == {"setup", "answer"}


def test_edited_tests_are_told_and_not_run():
    rebuilt = rebuild(DEMO, (CASES / "submissions" / "s07_edited_tests" / "p.ipynb").read_bytes())
    (fault,) = rebuilt.faults
    assert fault.name == "changed-test-cell" and "test_visible" in fault.message
    assert not fault.cost and "pass" not in [cell.source for cell in rebuilt.cells]


def test_added_cells_stand_where_they_stood():
    rebuilt = edited(lambda n: n.cells.insert(3, nbformat.v4.new_code_cell("own = 1")))
    assert RebuiltCell("added", "", "own = 1") in rebuilt.cells
    kinds = [cell.kind for cell in rebuilt.cells]
    assert kinds == ["setup", "answer", "added", "answer"]


def test_two_cells_of_one_answer_are_one_answer():
    def split(notebook):
        cell = nbformat.v4.new_code_cell("helper = 2")
        cell.metadata["nbgrader"] = dict(named(notebook, "sol_pair").metadata["nbgrader"])
        notebook.cells.append(cell)

    assert edited(split).answers["sol_pair"] == ANSWERS["sol_pair"] + "\n\nhelper = 2"


def test_a_changed_set_up_is_not_run():
    def change(notebook):
        named(notebook, "setup").source = "np = None"

    assert "np = None" not in [cell.source for cell in edited(change).cells]


def test_an_answer_that_became_text_is_told():
    def change(notebook):
        named(notebook, "sol_pair").cell_type = "markdown"

    rebuilt = edited(change)
    (fault,) = rebuilt.faults
    assert fault.name == "answer-not-code" and "press Y" in fault.message and fault.cost
    assert rebuilt.answers["sol_pair"] == DEMO.questions[1].stub


def test_an_unreadable_file_has_no_answers():
    rebuilt = rebuild(DEMO, (CASES / "submissions" / "s13_malformed_json" / "p.ipynb").read_bytes())
    assert rebuilt.faults[0].name == "unreadable-notebook"
    assert rebuilt.answers == {q.grade_id: q.stub for q in DEMO.questions}


def test_the_code_in_all_is_limited(monkeypatch):
    monkeypatch.setattr(preflight, "MOST_CODE", 100)
    rebuilt = edited(lambda n: n.cells.insert(2, nbformat.v4.new_code_cell("x = 1\n" * 30)))
    assert "too-much-code" in [fault.name for fault in rebuilt.faults]
    assert [cell.kind for cell in rebuilt.cells] == ["setup"]


def test_the_version_is_read_from_the_stamp():
    def stamp(notebook):
        notebook.metadata["llm_course"] = {"version": "0.1.0"}

    assert edited(stamp).version == "0.1.0"
    assert edited(lambda n: n.metadata.update(llm_course={"version": 3})).version == ""


@given(st.integers(0, len(SOLVED) - 1), st.integers(0, 200), st.binary(max_size=6))
def test_no_damage_raises(start, length, put):
    rebuilt = rebuild(DEMO, SOLVED[:start] + put + SOLVED[start + length :])
    assert set(rebuilt.answers) == set(ANSWERS)


paths = st.lists(st.sampled_from(["cells", "metadata", "nbgrader", 0, 1, 2, 3, 4]), max_size=5)


@given(paths, st.none() | st.integers() | st.text() | st.lists(st.integers()))
def test_no_wrong_type_raises(path, value):
    found = json.loads(SOLVED)
    inside, last = found, None
    for step in path:
        if (isinstance(inside, dict) and step in inside) or (
            isinstance(inside, list) and isinstance(step, int) and step < len(inside)
        ):
            inside, last = inside[step], (inside, step)
    if last:
        last[0][last[1]] = value
    assert set(rebuild(DEMO, json.dumps(found).encode()).answers) == set(ANSWERS)
