"""nbgrader's own commands, run as an instructor runs them, grade in the sandbox."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from llm_course.classroom.course import find_root, notebooks
from llm_course.classroom.grade.marking.assignment import of_chapter
from llm_course.classroom.grade.records.gradebook import at

ROOT = find_root(Path(__file__).parent)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def course(tmp_path):
    """A repository's solutions with a submission that draws, prints and leaks what it can."""
    for name in ("solutions", "book", "notebooks"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("pyproject.toml", "_config.yml"):
        (tmp_path / name).symlink_to(ROOT / name)
    given = of_chapter(ROOT, notebooks(ROOT, ["self_attention"])[0])
    notebook = nbformat.from_dict(given.release.copy())
    first = given.questions[0]
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == first.grade_id:
            spying = f'print({HOSTILE!r}); print("pid", __import__("os").listdir("/"))'
            cell.source = f"{first.solution}\n{spying}"
    notebook.cells.append(nbformat.v4.new_markdown_cell(HOSTILE))
    staged = tmp_path / "build" / "nbgrader"
    folder = staged / "submitted" / "ada" / given.chapter
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{given.name}.ipynb")
    config = (ROOT / "nbgrader_config.py").read_text()
    config = config.replace("Path(__file__).parent", f"Path({str(tmp_path)!r})")
    (tmp_path / "nbgrader_config.py").write_text(config)
    with at(f"sqlite:///{staged / 'gradebook.db'}") as book:
        book.add_assignment(given.chapter)
        book.add_notebook(given.name, given.chapter)
    return tmp_path, given


def nbgrader(folder, *words):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *words], cwd=folder, capture_output=True, text=True,
        env=os.environ | {"PATH": path},
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.needs("bubblewrap")
def test_autograde_and_feedback_go_through_the_sandbox(course):
    folder, given = course
    done = nbgrader(folder, "autograde", given.chapter)
    assert done.returncode == 0, done.stderr
    staged = folder / "build" / "nbgrader"
    with at(f"sqlite:///{staged / 'gradebook.db'}") as book:
        submission = book.find_submission(given.chapter, "ada")
        points = sum(test.points for test in given.questions[0].tests)
        assert (submission.score, submission.max_score) == (points, given.points)
    graded = staged / "autograded" / "ada" / given.chapter / f"{given.name}.ipynb"
    text = graded.read_text()
    assert "passed" in text and "BEGIN HIDDEN" not in text
    hidden = [t.source for q in given.questions for t in q.tests if t.hidden]
    assert not any(line in text for source in hidden for line in source.splitlines()[1:2])
    done = nbgrader(folder, "generate_feedback", given.chapter)
    assert done.returncode == 0, done.stderr
    page = (staged / "feedback" / "ada" / given.chapter / f"{given.name}.html").read_text()
    assert HOSTILE not in page and "passed" in page


@pytest.mark.slow
def test_autograde_refuses_without_bubblewrap(course, tmp_path):
    folder, given = course
    (tmp_path / "bin").mkdir()
    for name in ("alembic", "jupyter"):
        (tmp_path / "bin" / name).symlink_to(Path(sys.executable).parent / name)
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", given.chapter], cwd=folder,
        capture_output=True, text=True, env=os.environ | {"PATH": str(tmp_path / "bin")},
    )  # fmt: skip
    assert done.returncode != 0 and "needs bubblewrap" in done.stderr
    assert not list((folder / "build" / "nbgrader").glob("autograded/*/*/*.ipynb"))
