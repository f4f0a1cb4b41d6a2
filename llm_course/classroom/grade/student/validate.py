"""What a student runs before handing in: the visible tests, in the sandbox that grading uses.

Where there is no bubblewrap (macOS, Windows) the student's own code runs as it does in Jupyter, on
the student's own machine, and the result says so. Grading never does that.
"""

import base64
from pathlib import Path

from llm_course.classroom.course import notebooks
from llm_course.classroom.grade.intake.collect import matched_notebook
from llm_course.classroom.grade.marking.examiner import Examiner, chapter_spec
from llm_course.classroom.grade.marking.report import Report, from_json
from llm_course.classroom.grade.walls.sandbox import require_bubblewrap
from llm_course.errors import CourseError


def validate(path: Path, root: Path) -> Report:
    """The result of the visible tests of a student's notebook.

    Raises:
        CourseError: the file is missing, or is none of the course's notebooks.
    """
    if not path.is_file():
        raise CourseError(f"{path}: expected a notebook, got no file. Fix: correct the path")
    names = {notebook.name: notebook.key for notebook in notebooks(root)}
    name = matched_notebook(path.stem, list(names))
    if name is None:
        raise CourseError(
            f"{path}: expected one of the course's notebooks ({', '.join(sorted(names))}), got "
            "another name. Fix: rename the file"
        )
    job = {
        "spec": chapter_spec(root, names[name]),
        "student": "you",
        "data": base64.b64encode(path.read_bytes()).decode(),
        "secret": "",
        "only_visible": True,
        "sandboxed": has_sandbox(),
    }
    examiner = Examiner()
    try:
        return from_json(examiner.mark(job))
    finally:
        examiner.close()


def has_sandbox() -> bool:
    """Whether bubblewrap works here."""
    try:
        require_bubblewrap()
    except CourseError:
        return False
    return True


def told(report: Report) -> list[str]:
    """The result as lines for a terminal."""
    lines = []
    for question in report.questions:
        failed = [test.message for test in question.tests if not test.passed]
        mark = "✗" if failed else "✓"
        lines.append(f"{mark} {question.title}")
        lines += [f"    {message}" for message in failed]
        if not failed:
            lines[-1] += ": the visible tests pass"
    lines += [f"! {fault.message}" for fault in report.faults]
    return lines
