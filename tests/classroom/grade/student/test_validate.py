"""What a student sees before handing in."""

from pathlib import Path

import nbformat
import psutil
import pytest

from llm_course.classroom.course import find_root, notebooks
from llm_course.classroom.grade.marking.assignment import of_chapter
from llm_course.classroom.grade.marking.marking import mark
from llm_course.classroom.grade.student import validate as module
from llm_course.classroom.grade.student.validate import has_sandbox, told, validate
from llm_course.errors import CourseError

ROOT = find_root(Path(__file__).parent)


@pytest.mark.needs("bubblewrap")
def test_the_visible_tests_alone_are_run_and_told(tmp_path):
    given = of_chapter(ROOT, notebooks(ROOT, ["self_attention"])[0])
    first, second = given.questions[:2]
    answers = {
        first.grade_id: first.solution.replace("math.sqrt(query.shape[-1])", "query.shape[-1]"),
        second.grade_id: second.solution,
    }
    found = nbformat.from_dict(given.release.copy())
    for cell in found.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = answers.get(name, cell.source)
    path = tmp_path / "ada_self_attention.ipynb"
    nbformat.write(found, path)
    report = validate(path, ROOT)
    assert not any(test.hidden for question in report.questions for test in question.tests)
    lines = told(report)
    assert lines[0] == "✗ Scaled dot-product attention"
    assert lines[1].startswith("    weights 1/4 and 3/4 on values 4 and 8 give 7")
    assert lines[2] == "✓ Padding mask: the visible tests pass"
    assert lines[4] == "    not answered yet."


@pytest.mark.parametrize(
    ("name", "words"), [("gone.ipynb", "got no file"), ("essay.ipynb", "Fix: rename the file")]
)
def test_a_wrong_file_is_told(tmp_path, name, words):
    (tmp_path / "essay.ipynb").write_text("{}")
    with pytest.raises(CourseError, match=words):
        validate(tmp_path / name, ROOT)


def test_without_bubblewrap_a_students_own_code_runs_on_their_own_machine(tmp_path, monkeypatch):
    given = of_chapter(ROOT, notebooks(ROOT, ["self_attention"])[0])
    first = given.questions[0]
    found = nbformat.from_dict(given.release.copy())
    for cell in found.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == first.grade_id:
            cell.source = first.solution
    path = tmp_path / "self_attention.ipynb"
    nbformat.write(found, path)
    monkeypatch.setattr(module, "has_sandbox", lambda: False)
    monkeypatch.setattr("llm_course.classroom.grade.walls.sandbox.shutil.which", lambda _: None)
    before = set(psutil.Process().children(recursive=True))
    lines = told(validate(path, ROOT))
    assert lines[0] == "✓ Scaled dot-product attention: the visible tests pass"
    assert set(psutil.Process().children(recursive=True)) <= before


def test_hidden_tests_never_run_without_a_sandbox():
    given = of_chapter(ROOT, notebooks(ROOT, ["self_attention"])[0])
    with pytest.raises(ValueError, match="sandboxed: expected True"):
        mark(given, "ada", b"{}", secret=b"", sandboxed=False)


def test_a_machine_without_bubblewrap_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not has_sandbox()
