import nbformat
import pytest

from llm_course.classroom.author import chapter_text
from llm_course.classroom.book.strip import check_edition, for_edition, solution_lines
from llm_course.classroom.cells import grade_id, is_hidden_test, is_solution
from llm_course.classroom.course import notebooks
from llm_course.classroom.lesson import cards
from llm_course.errors import CourseError


@pytest.fixture
def executed(sample_course):
    """The sample chapter as if it had been executed: every code cell has an output."""
    notebook = chapter_text.read(notebooks(sample_course)[0])
    for number, cell in enumerate(c for c in notebook.cells if c.cell_type == "code"):
        cell.outputs = [nbformat.v4.new_output("stream", text=f"output {number}")]
        cell.execution_count = number
    return notebook


def test_the_reader_sees_a_stub_where_the_solution_was(executed):
    shown = for_edition(executed, "reader")
    [cell] = [cell for cell in shown.cells if grade_id(cell) == "ex-07-1-mean"]
    assert cell.source == (
        "def mean(numbers):\n"
        '    """The mean of a list of numbers."""\n'
        '    raise NotImplementedError("ex-07-1-mean: write your answer here")'
    )
    assert cell.outputs == [], "a solution's output gives it away"
    assert cell.execution_count is None


def test_the_reader_sees_no_hidden_test_and_every_other_cell(executed):
    shown = for_edition(executed, "reader")
    hidden = [cell for cell in executed.cells if is_hidden_test(cell)]
    assert hidden, "the sample must hold hidden tests"
    assert len(shown.cells) == len(executed.cells) - len(hidden)
    assert "HIDDEN" not in nbformat.writes(shown)


def test_no_line_of_a_solution_is_left_for_the_reader(executed):
    lines = solution_lines(executed)
    assert "return sum(numbers) / len(numbers)" in lines
    assert any("one number is its own mean" in line for line in lines), "hidden tests count too"
    shown = "\n".join(cell.source for cell in for_edition(executed, "reader").cells)
    assert [line for line in lines if line in shown] == []


def test_the_instructor_sees_solutions_and_hidden_tests_folded(executed):
    shown = for_edition(executed, "instructor")
    assert len(shown.cells) == len(executed.cells)
    folded = [cell for cell in shown.cells if "hide-input" in (cell.metadata.get("tags") or [])]
    assert folded == [cell for cell in shown.cells if is_solution(cell) or is_hidden_test(cell)]
    text = "\n".join(cell.source for cell in folded)
    assert "return sum(numbers) / len(numbers)" in text
    assert "### " not in text, "the markers are for machines"


def test_the_executed_notebook_is_left_as_it_was(executed):
    before = nbformat.writes(executed)
    for_edition(executed, "reader")
    for_edition(executed, "instructor")
    assert nbformat.writes(executed) == before


@pytest.mark.parametrize("edition", ["reader", "instructor"])
def test_the_runner_leaves_no_trace(executed, edition):
    injected = nbformat.v4.new_code_cell("SCALE = 'cpu'")
    injected.metadata["tags"] = ["injected-parameters"]
    executed.cells.insert(1, injected)
    executed.metadata["papermill"] = {"duration": 1.25}
    executed.cells[0].metadata["papermill"] = {"duration": 0.5}
    shown = for_edition(executed, edition)
    assert "papermill" not in nbformat.writes(shown)
    assert "injected-parameters" not in nbformat.writes(shown)


def test_a_card_is_shown_and_its_data_is_not(executed):
    cell = next(cell for cell in executed.cells if cell.cell_type == "code")
    data = {cards.MIME: {"id": "card-07-a"}, "text/html": "<p>card</p>"}
    cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
    shown = next(c for c in for_edition(executed, "reader").cells if c.cell_type == "code")
    assert shown.outputs[0].data == {"text/html": "<p>card</p>"}


def test_a_line_that_the_lesson_shows_is_no_secret():
    lesson = nbformat.v4.new_code_cell("weights = softmax(scores)")
    answer = nbformat.v4.new_code_cell(
        "### BEGIN SOLUTION\nweights = softmax(scores)\nreturn weights @ value\n### END SOLUTION"
    )
    answer.metadata["nbgrader"] = {"solution": True, "grade_id": "ex-07-1-a"}
    notebook = nbformat.v4.new_notebook(cells=[lesson, answer])
    assert solution_lines(notebook) == {"return weights @ value"}


def test_an_unknown_edition_is_refused():
    with pytest.raises(CourseError, match="EDITION: expected reader or instructor, got 'teacher'"):
        check_edition("teacher")
