import pytest

from llm_course.classroom.author import chapter_text
from llm_course.classroom.course import Notebook
from llm_course.classroom.execute.failure import Failure, clean, explain


@pytest.fixture
def chapter(sample_course):
    path = sample_course / "solutions" / "07_sample" / "counting.md"
    notebook = Notebook("07_sample", "counting", path)
    return sample_course, notebook, chapter_text.read(notebook)


def cell_with(authored, text):
    return next(cell for cell in authored.cells if text in cell.source)


def line_with(notebook, text):
    lines = notebook.path.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_a_graded_cell_is_named_by_its_id_and_the_line_that_failed(chapter):
    root, notebook, authored = chapter
    failed = cell_with(authored, "assert mean([1, 2]) == 1.5")
    traceback = [
        "Traceback (most recent call last):",
        "  \x1b[36mCell In[9], line 3\x1b[39m",
        "    assert mean([1, 2]) == 1.5",
        "  Cell In[7], line 40 in mean",
        "AssertionError: the mean",
    ]
    failure = explain(
        notebook,
        authored,
        root,
        cell_id=failed.id,
        error="AssertionError: the mean",
        traceback=traceback,
    )
    assert failure.label == "test-07-1-mean-hidden"
    assert failure.line == line_with(notebook, "assert mean([1, 2]) == 1.5")
    assert failure.path == "solutions/07_sample/counting.md"
    assert str(failure).splitlines()[:3] == [
        "07_sample/counting: failed at “test-07-1-mean-hidden”",
        f"  solutions/07_sample/counting.md:{failure.line}: AssertionError: the mean",
        "  │ Traceback (most recent call last):",
    ]
    assert "\x1b" not in str(failure)


def test_another_cell_is_named_by_the_nearest_heading(chapter):
    root, notebook, authored = chapter
    failed = cell_with(authored, "average = sum(numbers)")
    failure = explain(notebook, authored, root, cell_id=failed.id, error="DeadKernelError: it died")
    assert failure.label == "Use it"
    assert failure.line == line_with(notebook, "average = sum(numbers)")
    assert failure.traceback == ""


def test_a_kernel_that_never_started_fails_at_the_start(chapter):
    root, notebook, authored = chapter
    failure = explain(notebook, authored, root, cell_id=None, error="RuntimeError: no kernel")
    assert (failure.label, failure.line) == ("start", 1)


def test_an_error_of_many_lines_has_one_in_the_head(chapter):
    root, notebook, authored = chapter
    failure = explain(notebook, authored, root, cell_id=None, error="ValueError: one\ntwo")
    assert str(failure).splitlines()[1].endswith(": ValueError: one")


def test_an_error_without_words(chapter):
    root, notebook, authored = chapter
    assert "no message" in str(explain(notebook, authored, root, cell_id=None, error=""))


def test_traceback_is_plain_short_and_relative(tmp_path):
    frames = [f"frame {number}" for number in range(100)]
    text = "\n".join(["-" * 75, f"\x1b[31mFile {tmp_path}/llm_course/a.py:3\x1b[0m", "", *frames])
    lines = clean(text, tmp_path).splitlines()
    assert lines[0] == "File llm_course/a.py:3"
    assert lines[-1] == "frame 99", "the end, where the error stands, is kept"
    assert "… 61 lines …" in lines
    assert len(lines) == 41


def test_a_problem_that_a_user_can_mend_is_one_line():
    told = Failure("07_a/b", "Build it", "p", 9, "CourseError: x: too short. Fix: again", "frames")
    assert str(told) == "error: 07_a/b: x: too short. Fix: again"
    assert Failure("07_a/b", "Build it", "p", 9, "ValueError: x", "frames").mendable == ""
