"""Grading one submission of a chapter: the course's grader against stock nbgrader.

Run it alone: ``python benchmarks/grading.py``. It prints a table and writes its result to
``benchmarks/results/grading.json``, from which the book's page of benchmarks is made. Both grade
the same solved notebook; nbgrader executes all of it in one process, the course's grader runs the
answers in a sandbox and the tests outside.
"""

import base64
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import psutil

from llm_course.classroom.book.benchmark_result import Goal, record_result
from llm_course.classroom.course import find_root, notebooks
from llm_course.classroom.grade.marking.assignment import Assignment
from llm_course.classroom.grade.marking.examiner import Examiner, chapter_spec, load
from llm_course.classroom.grade.marking.report import from_json
from llm_course.classroom.release.assignment import release
from llm_course.classroom.release.nbgrader_settings import staging

RESULT = Path(__file__).parent / "results" / "grading.json"
REPEATS = 5


def solved(given: Assignment) -> bytes:
    """The released notebook with the course's own solutions."""
    found = nbformat.from_dict(given.release.copy())
    solutions = {question.grade_id: question.solution for question in given.questions}
    for cell in found.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = solutions.get(name, cell.source)
    return nbformat.writes(found).encode()


def ours(examiner: Examiner, spec: dict, data: bytes) -> float:
    """Seconds that the course's grader takes."""
    job = {"spec": spec, "student": "ada", "data": base64.b64encode(data).decode(), "secret": ""}
    start = time.perf_counter()
    report = from_json(examiner.mark(job))
    taken = time.perf_counter() - start
    if report.points != report.max_points:
        raise SystemExit(f"expected all points, got {report.points}")
    return taken


def theirs(course: Path, chapter: str, name: str, data: bytes) -> float:
    """Seconds that ``nbgrader autograde`` takes."""
    folder = course / "submitted" / "ada" / chapter
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.ipynb").write_bytes(data)
    shutil.rmtree(course / "autograded", ignore_errors=True)
    command = [sys.executable, "-m", "nbgrader", "autograde", chapter, "--student=ada", "--force"]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    start = time.perf_counter()
    subprocess.run(command, cwd=course, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def peak(process: psutil.Process) -> int:
    """The peak resident memory of a process, in MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def main() -> None:
    """Measure, print and record."""
    root = find_root(Path(__file__).parent)
    notebook = notebooks(root, ["self_attention"])[0]
    spec = chapter_spec(root, notebook.key)
    given = load(spec)
    data, examiner = solved(given), Examiner()
    with tempfile.TemporaryDirectory() as folder:
        release(root, Path(folder) / "released", only=[notebook.key])
        course = staging(root)
        stock = Path(folder) / "stock"
        shutil.copytree(course, stock, ignore=shutil.ignore_patterns("submitted", "autograded"))
        (stock / "nbgrader_config.py").write_text(
            "c = get_config()\nc.CourseDirectory.course_id = 'llm-course'\n"
            "c.ExecutePreprocessor.timeout = 600\n"
        )
        ours(examiner, spec, data)  # start-up: imports, not counted
        times = {"ours": [], "nbgrader": []}
        for _ in range(REPEATS):
            times["ours"].append(ours(examiner, spec, data))
            times["nbgrader"].append(theirs(stock, given.chapter, given.name, data))
        memory = peak(psutil.Process(examiner._process.pid))
    examiner.close()
    median = {name: statistics.median(taken) for name, taken in times.items()}
    row = [
        given.key,
        f"{median['ours']:.1f}",
        f"{median['nbgrader']:.1f}",
        f"{median['ours'] / median['nbgrader']:.2f}",
        str(memory),
    ]
    record_result(
        RESULT,
        title="Grading one submission",
        what="A solved notebook of one chapter, graded by the course's grader after its "
        "start-up and by nbgrader's autograde, which executes the lesson too. One at a time, one "
        f"thread each. Median of {REPEATS}. Memory is the examiner's peak resident set.",
        command="OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/grading.py",
        columns=["notebook", "ours, s", "nbgrader, s", "ours / nbgrader", "examiner, MiB"],
        rows=[row],
        packages=["nbgrader"],
        goals=[Goal(column="ours, s", most=5.0), Goal(column="ours / nbgrader", most=1.0)],
    )


if __name__ == "__main__":
    main()
