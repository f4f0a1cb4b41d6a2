"""What the tests of a batch grade with, in worker processes: no sandbox, plain rules."""

import base64
import json
import os
import time
from pathlib import Path

from llm_course.classroom.grade.marking.report import QuestionResult, Report, TestResult, to_json


def report_on(job: dict) -> str:
    """The points that a submission asks for: its text is a number."""
    text = base64.b64decode(job["data"]).decode()
    points = float(text) if text.replace(".", "").isdigit() else 0.0
    test = TestResult(grade_id="test-07-1-mean", points=points, max_points=4, hidden=False)
    question = QuestionResult(grade_id="ex-07-1-mean", title="", optional=False, tests=(test,))
    return to_json(
        Report(
            student=job["student"],
            chapter="07_a",
            notebook="n",
            submission_hash=job["submission_hash"],
            grader_hash=job["grader_hash"],
            questions=(question,),
        )
    )


def quick(text: str) -> str:
    """Grade at once; note that it was done."""
    job = json.loads(text)
    if counter := os.environ.get("BATCH_COUNTER"):
        with Path(counter).open("a") as file:
            file.write(job["student"] + "\n")
    return report_on(job)


def slow(text: str) -> str:
    """Grade after a moment."""
    time.sleep(0.05)
    return quick(text)


def troubled(text: str) -> str:
    """Die, raise or answer nonsense for the students of these names."""
    student = json.loads(text)["student"]
    if student == "dies":
        os._exit(9)
    if student == "raises":
        raise ValueError("no")
    return "nonsense" if student == "nonsense" else quick(text)
