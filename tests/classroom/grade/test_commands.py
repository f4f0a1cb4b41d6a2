"""The commands around grading, from the command line in."""

import sys

import nbformat
import pytest

from llm_course import cli
from llm_course.classroom.course import notebooks
from llm_course.classroom.grade.marking.assignment import of_chapter
from llm_course.classroom.grade.records.class_run import read_overrides


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command; give its exit code, output and errors."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["llm-course", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


@pytest.mark.needs("bubblewrap")
def test_a_class_is_graded_and_the_second_run_does_nothing(run, tmp_path, pytestconfig):
    given = of_chapter(pytestconfig.rootpath, notebooks(pytestconfig.rootpath)[0])
    solved = nbformat.from_dict(given.release.copy())
    solutions = {question.grade_id: question.solution for question in given.questions}
    for cell in solved.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = solutions.get(name, cell.source)
    path = tmp_path / "in" / f"ada_{given.name}.ipynb"
    path.parent.mkdir()
    nbformat.write(solved, path)
    words = ("grade", path.parent, "--out", tmp_path / "grades", "--chapter", given.chapter)
    code, out, _ = run(*words)
    assert code == 0 and "1 graded, 0 unchanged." in out and "ada" in out
    code, out, _ = run(*words)
    assert code == 0 and "0 graded, 1 unchanged." in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("grade", "gone"), "expected a folder or a zip of submissions"),
        (("grade", ".", "--chapter", "99_gone"), "unknown chapter or notebook '99_gone'"),
        (("grade", ".", "--private-tests", "gone"), "expected a folder of private tests"),
        (("validate", "gone.ipynb"), "expected a notebook, got no file"),
        (("progress", "gone"), "expected a folder with notebooks"),
        (("validate", "--update", "gone.ipynb"), "gone.ipynb"),
    ],
)
def test_what_cannot_be_done_is_one_line(run, words, told):
    code, _, err = run(*words)
    assert code == 2 and err.startswith("error: ") and told in err
    assert err.count("\n") == 1


def test_grading_without_bubblewrap_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "ada_self_attention.ipynb").write_text("{}")
    code, _, err = run("grade", tmp_path, "--out", tmp_path / "grades")
    assert code == 2 and "needs bubblewrap" in err and "Fix: make system-deps" in err
    assert not (tmp_path / "grades").exists()


def test_an_override_is_stored(run, tmp_path):
    words = ("override", "ada", "07_attention", "ex-07-1-scaled-dot-product", "2.5")
    code, out, _ = run(*words, "--reason", "Shown to me.", "--out", tmp_path)
    assert code == 0 and "2.5 points" in out
    assert [given.reason for given in read_overrides(tmp_path)] == ["Shown to me."]
    code, _, err = run(*words, "--reason", " ", "--out", tmp_path)
    assert code == 2 and "expected a reason" in err


def test_progress_shows_what_is_open(run):
    code, out, _ = run("progress")
    assert code == 0 and "0 of 5 exercises" in out and "Next:" in out
