"""A long-lived trusted process that grades notebooks, each in a child of its own.

The examiner imports what the tests need once. For every job it forks: the child runs `marking.mark`
with warm imports, writes its report and ends, so that nothing passes from one submission to the
next and memory does not grow. A child that takes too long is killed with all that it started.

Run as a module it serves jobs, one JSON line each on standard input; `Examiner` is its client.
"""

import base64
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from llm_course.classroom.course import notebooks
from llm_course.classroom.grade.marking import assignment as assignments
from llm_course.classroom.grade.marking.assignment import Assignment
from llm_course.classroom.grade.marking.marking import mark
from llm_course.classroom.grade.marking.needed_imports import needed
from llm_course.classroom.grade.marking.private_tests import with_private_tests
from llm_course.classroom.grade.marking.report import Fault, Report, to_json
from llm_course.classroom.grade.marking.trial import set_up
from llm_course.classroom.grade.walls.sandbox import temporary
from llm_course.errors import CourseError
from llm_course.files import atomic_write

JOB_SECONDS = float(os.environ.get("LLM_COURSE_JOB_SECONDS", "240"))
_local = threading.local()


def chapter_spec(root: Path, key: str, private_tests: Path | None = None) -> dict[str, Any]:
    """What names an assignment of the course in a job."""
    spec = {"root": str(Path(root).resolve()), "key": key}
    return spec | ({"private": str(Path(private_tests).resolve())} if private_tests else {})


def nbgrader_spec(
    chapter: str,
    source: Path,
    release: Path,
    helpers: tuple[Path, ...] = (),
    withheld: Mapping[str, list[str]] | None = None,
) -> dict[str, Any]:
    """What names an assignment made with nbgrader in a job."""
    return {
        "chapter": chapter,
        "source": str(source),
        "release": str(release),
        "helpers": [str(path) for path in helpers],
        "withheld": dict(withheld or {}),
    }


@lru_cache(maxsize=64)
def _loaded(spec: str) -> Assignment:
    """The assignment that a specification names."""
    found = json.loads(spec)
    if "root" in found:
        root = Path(found["root"])
        given = assignments.of_chapter(root, notebooks(root, [found["key"]])[0])
        if "private" in found:
            given = with_private_tests(given, Path(found["private"]))
        return given
    paths = [Path(found.pop(name)) for name in ("source", "release")]
    helpers = [Path(path) for path in found["helpers"]]
    return assignments.of_nbgrader(
        found["chapter"], *paths, helpers=helpers, withheld=found["withheld"]
    )


def load(spec: Mapping[str, Any]) -> Assignment:
    """The assignment that a specification names, read once."""
    return _loaded(json.dumps(spec, sort_keys=True))


class Examiner:
    """A client of one examiner process, which it starts when needed and starts again if it ends."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._work = tempfile.TemporaryDirectory(prefix="llmg-jobs-", dir=temporary())

    def mark(self, job: Mapping[str, Any]) -> str:
        """The report on a job, as JSON; a grader's fault is a report too.

        Args:
            job: ``spec``, ``student``, ``data`` and ``secret`` (base64), and ``grader_hash``.
        """
        folder = Path(self._work.name)
        asked, answer = folder / "job.json", folder / "report.json"
        answer.unlink(missing_ok=True)
        atomic_write(asked, json.dumps(job))
        process = self._running()
        try:
            process.stdin.write(json.dumps([str(asked), str(answer)]) + "\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], JOB_SECONDS + 60)
            told = process.stdout.readline().strip() if ready else "no answer"
        except OSError as error:
            told = str(error)
        if answer.is_file():
            return answer.read_text(encoding="utf-8")
        self._end()
        return to_json(_lost(job, told or "the examiner ended"))

    def close(self) -> None:
        """End the process and remove its folder."""
        self._end()
        self._work.cleanup()

    def _running(self) -> subprocess.Popen[str]:
        """The process, started if there is none."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"},
            )
        return self._process

    def _end(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
        self._process = None


def mark_job(job: str) -> str:
    """Grade a job with this thread's examiner: what worker processes call.

    Args:
        job: the job of `Examiner.mark` as JSON.

    Returns:
        the report as JSON.
    """
    if not hasattr(_local, "examiner"):
        _local.examiner = Examiner()
    return _local.examiner.mark(json.loads(job))


def _lost(job: Mapping[str, Any], reason: str) -> Report:
    """The report on a job that the grader could not finish."""
    given = load(job["spec"])
    fault = Fault(
        name="grader-stopped",
        message=f"The grader could not finish ({reason}); grade this notebook again.",
        blame="grader",
        cost=True,
    )
    return Report(
        student=str(job["student"]),
        chapter=given.chapter,
        notebook=given.name,
        submission_hash=str(job.get("submission_hash", "")),
        grader_hash=str(job.get("grader_hash", "")),
        status="grader-fault",
        faults=(fault,),
    )


def _serve() -> None:
    """Grade the jobs that standard input names until it ends."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a test prints past Python must not look like an answer
    for line in sys.stdin:
        asked, answer = json.loads(line)
        try:
            job = json.loads(Path(asked).read_text(encoding="utf-8"))
            _warm(json.dumps(job["spec"], sort_keys=True))
            told = _in_a_child(job, Path(answer))
        except (CourseError, OSError) as error:
            told = str(error)
        print(told.replace("\n", " "), file=out, flush=True)


@lru_cache(maxsize=64)
def _warm(spec: str) -> None:
    """Import what the tests of an assignment need, before the first fork."""
    given = _loaded(spec)
    sources = [test.source for question in given.questions for test in question.tests]
    solutions = [question.solution for question in given.questions]
    for folder in {str(path.parent) for path in given.helpers}:
        sys.path.insert(0, folder)
    set_up(needed(given.setup, [*sources, *solutions]), 0)


def _in_a_child(job: Mapping[str, Any], answer: Path) -> str:
    """Grade one job in a forked process, and say how that ended."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setsid()
            report = mark(
                load(job["spec"]),
                job["student"],
                base64.b64decode(job["data"]),
                secret=base64.b64decode(job["secret"]),
                grader_hash=job.get("grader_hash", ""),
                only_visible=bool(job.get("only_visible")),
                sandboxed=bool(job.get("sandboxed", True)),
            )
            atomic_write(answer, to_json(report))
            status = 0
        except CourseError as error:
            print(f"error: {error}", file=sys.stderr)
        finally:
            if status and sys.exc_info()[0] is not None:
                sys.excepthook(*sys.exc_info())
            os._exit(status)
    deadline = time.monotonic() + JOB_SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return f"status {os.waitstatus_to_exitcode(status)}"
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return f"it took more than {JOB_SECONDS:.0f} seconds"


if __name__ == "__main__":
    _serve()
