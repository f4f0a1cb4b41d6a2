"""nbgrader's own commands, made safe: ``nbgrader autograde`` grades in the sandbox too.

Stock autograding runs a student's cells in the grader's own process and account. With this step in
its configuration (`nbgrader_settings`) it hands the notebook to the examiner, enters the points
that come back, and keeps the released notebook with the student's answers and the tests' words:
nothing that a student's code printed, and no hidden test, is left in it for
``nbgrader generate_feedback`` to show.
"""

import base64
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from llm_course.classroom.course import notebooks
from llm_course.classroom.grade.marking.assignment import Assignment
from llm_course.classroom.grade.marking.examiner import Examiner, chapter_spec, load
from llm_course.classroom.grade.marking.report import Report, from_json
from llm_course.classroom.grade.records import gradebook as gradebooks
from llm_course.classroom.grade.records.batch import course_secret, grader_hash
from llm_course.classroom.grade.walls.sandbox import require_bubblewrap
from llm_course.errors import CourseError


class GradeInSandbox(NbGraderPreprocessor):
    """The one step of autograding: everything from the student's bytes to the gradebook."""

    root = Unicode(help="The repository of the course.", config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Grade a notebook.

        Raises:
            CourseError: bubblewrap is missing, or the grader itself failed.
        """
        asked = resources["nbgrader"]
        require_bubblewrap()
        root = Path(self.root)
        known = {(n.chapter, n.name): n.key for n in notebooks(root)}
        key = known.get((asked["assignment"], asked["notebook"]))
        if key is None:
            raise CourseError(
                f"{asked['assignment']}/{asked['notebook']}: expected a notebook of the course. "
                "Fix: grade it with an nbgrader of its own"
            )
        spec = chapter_spec(root, key)
        given = load(spec)
        report = _marked(nb, spec, asked["student"], course_secret(root / "grading"), given)
        if report.status != "graded":
            told = "; ".join(fault.message for fault in report.faults)
            raise CourseError(f"{asked['student']}: the grader failed ({told}). Fix: run it again")
        with gradebooks.at(asked["db_url"]) as book:
            gradebooks.prepare(book, [given])
            gradebooks.enter(book, report)
        return shown(given, report), resources


def shown(given: Assignment, report: Report) -> nbformat.NotebookNode:
    """The released notebook with the answers, and under each test what it said."""
    answers = {question.grade_id: question.answer for question in report.questions}
    results = {test.grade_id: test for question in report.questions for test in question.tests}
    notebook = nbformat.from_dict(given.release.copy())
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if cell.cell_type != "code":
            continue
        cell.source, cell.outputs, cell.execution_count = answers.get(name, cell.source), [], None
        if name in results:
            text = "passed" if results[name].passed else results[name].message
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    return notebook


def _marked(
    nb: Any, spec: dict[str, Any], student: str, secret: bytes, given: Assignment
) -> Report:
    """The examiner's report."""
    job = {
        "spec": spec,
        "student": student,
        "data": base64.b64encode(nbformat.writes(nb).encode()).decode(),
        "secret": base64.b64encode(secret).decode(),
        "grader_hash": grader_hash(given),
    }
    examiner = Examiner()
    try:
        return from_json(examiner.mark(job))
    finally:
        examiner.close()
