"""nbgrader's configuration: where its folders lie, and the steps of its commands.

Shared by ``llm-course release`` and by ``nbgrader_config.py``, so that nbgrader's own commands,
run in the repository, see the same course. Everything lies below ``build/nbgrader``.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearOutput,
    ComputeChecksums,
    LockCells,
    SaveCells,
)
from traitlets.config import Config

from llm_course.classroom.release.clearing import LabelledStubs, NoticedHiddenTests

COURSE_ID = "llm-course"
# nbgrader's own order. SaveCells comes before hidden tests are cleared, so that the gradebook
# holds them; checksums are computed again for what the student receives.
STEPS = [
    LockCells,
    LabelledStubs,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    SaveCells,
    NoticedHiddenTests,
    ComputeChecksums,
    CheckCellMetadata,
]


def staging(root: Path) -> Path:
    """nbgrader's course folder below the repository `root`.

    >>> staging(Path("/course")).as_posix()
    '/course/build/nbgrader'
    """
    return Path(root) / "build" / "nbgrader"


def settings(course: Path, gradebook: bool = True) -> Config:
    """The configuration of an nbgrader course that lies at `course`.

    Args:
        course: the course folder.
        gradebook: whether a release is entered into the gradebook, without which nbgrader
            cannot grade it; making the database takes most of a release's time.
    """
    course = Path(course).resolve()
    config = Config()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.course_id = COURSE_ID
    config.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}"
    config.GenerateAssignment.no_database = not gradebook
    config.GenerateAssignment.preprocessors = [
        step for step in STEPS if gradebook or step is not SaveCells
    ]
    # Steps by name: a release needs no grader, and imports none.
    config.Autograde.sanitize_preprocessors = ["nbgrader.preprocessors.ClearOutput"]
    config.Autograde.autograde_preprocessors = [
        "llm_course.classroom.grade.records.nbgrader_steps.GradeInSandbox",
        "nbgrader.preprocessors.AssignLatePenalties",
    ]
    config.GradeInSandbox.root = str(course.parents[1])
    config.HTMLExporter.sanitize_html = True  # feedback and formgrader: no script of a student's
    return config


@contextmanager
def programs_on_path() -> Iterator[None]:
    """Let nbgrader find ``alembic``: it starts it by name, also where no environment is active."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before
