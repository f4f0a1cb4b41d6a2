"""nbgrader's folders and steps."""

import os
import shutil
from pathlib import Path

import pytest
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader

from llm_course.classroom.release.nbgrader_settings import programs_on_path, settings, staging


def test_everything_lies_in_the_course_folder(tmp_path: Path) -> None:
    course = CourseDirectory(config=settings(tmp_path))
    assert course.root == str(tmp_path)
    assert course.db_url == f"sqlite:///{tmp_path}/gradebook.db"


def test_the_release_keeps_nbgrader_s_order(tmp_path: Path) -> None:
    course = CourseDirectory(config=settings(tmp_path))
    steps = GenerateAssignment(coursedir=course, config=settings(tmp_path)).preprocessors
    names = [step.__name__ for step in steps]
    assert names.index("SaveCells") < names.index("NoticedHiddenTests"), (
        "the gradebook must see hidden tests before they are cleared"
    )
    assert names[-2:] == ["ComputeChecksums", "CheckCellMetadata"]


def test_nbgrader_s_own_commands_read_the_same_settings() -> None:
    root = Path(__file__).parents[3]
    loaded = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    assert loaded.CourseDirectory == settings(staging(root)).CourseDirectory


def test_alembic_is_found_without_an_active_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with programs_on_path():
        assert shutil.which("alembic"), "nbgrader starts alembic by its name"
    assert os.environ["PATH"] == "/nowhere"
