"""Finding the release that a student began with in a repository's history."""

import os
import subprocess
from pathlib import Path

import nbformat
import pytest

from llm_course.classroom.grade.student.release_history import began_with, cell_texts, committed

KEY = "07_sample/counting"


def notebook(version: int, *extra: str) -> nbformat.NotebookNode:
    """A release: cells that all versions share, and one for each version up to this one."""
    texts = ["shared 1", "shared 2", *(f"new in {n}" for n in range(version + 1)), *extra]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in texts])
    made.metadata["llm_course"] = {"source": f"{version}" * 64, "version": f"0.{version}"}
    return made


def git(root: Path, *arguments: str) -> None:
    """Run git in a repository of the test's own."""
    who = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A repository with three committed releases; the file on the disk was edited since."""
    git(tmp_path, "init", "-q")
    path = tmp_path / "notebooks" / f"{KEY}.ipynb"
    path.parent.mkdir(parents=True)
    for version in range(3):
        nbformat.write(notebook(version), path)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", f"release {version}")
    nbformat.write(notebook(9), path)
    return tmp_path


def version_of(found: nbformat.NotebookNode | None) -> str:
    assert found is not None
    return found.metadata["llm_course"]["version"]


@pytest.mark.parametrize("version", [0, 1, 2])
def test_the_stamp_names_the_version(history: Path, version: int) -> None:
    student = notebook(version)
    student.cells = student.cells[:1]
    assert version_of(began_with(history, KEY, student)) == f"0.{version}"


def test_without_a_stamp_the_most_alike_is_taken(history: Path) -> None:
    student = notebook(1, "my own cell")
    student.metadata.pop("llm_course")
    assert version_of(began_with(history, KEY, student)) == "0.1"


def test_an_unknown_stamp_is_no_stamp(history: Path) -> None:
    student = notebook(0)
    student.metadata["llm_course"]["source"] = "from elsewhere"
    student.metadata["llm_course"]["version"] = "?"
    assert version_of(began_with(history, KEY, student)) == "0.0"


def test_nothing_in_common_is_nothing_found(history: Path) -> None:
    other = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x")])
    assert began_with(history, KEY, other) is None
    assert began_with(history, "07_sample/unknown", notebook(1)) is None


def test_the_committed_version_is_not_that_on_the_disk(history: Path) -> None:
    assert version_of(committed(history, KEY)) == "0.2"


def test_a_version_that_was_removed_is_passed_over(history: Path) -> None:
    git(history, "rm", "-q", "-f", f"notebooks/{KEY}.ipynb")
    git(history, "commit", "-q", "-m", "remove it")
    assert version_of(committed(history, KEY)) == "0.2"


def test_without_git_or_a_repository_there_is_no_history(
    tmp_path: Path, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = tmp_path / "elsewhere"
    alone.mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert committed(Path("/"), KEY) is None
    monkeypatch.setenv("PATH", str(alone))
    assert committed(history, KEY) is None


def test_a_folder_of_the_repository_may_be_the_course(history: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "outer")
    inner = tmp_path / "outer" / "course" / "notebooks" / f"{KEY}.ipynb"
    inner.parent.mkdir(parents=True)
    nbformat.write(notebook(1), inner)
    git(tmp_path / "outer", "add", ".")
    git(tmp_path / "outer", "commit", "-q", "-m", "a course inside")
    assert version_of(committed(tmp_path / "outer" / "course", KEY)) == "0.1"


def test_git_s_own_variables_do_not_lead_elsewhere(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "GIT_DIR", "/nowhere")
    assert version_of(committed(history, KEY)) == "0.2"


def test_texts_are_compared_as_editors_leave_them() -> None:
    one, two = (nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text)]) for text in
                ("a = 1  \n\n", "a = 1"))  # fmt: skip
    assert cell_texts(one) == cell_texts(two) == {("code", "a = 1")}
