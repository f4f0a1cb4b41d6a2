"""Grading a class: every submission once, resumable, by one writer.

A report is stored before its points are entered, and entering it again changes nothing. So a
grader that is killed at any moment loses at most the submissions that were being graded, and the
next run brings the gradebook up to the reports.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from traitlets.config import Config

import llm_course
from llm_course.classroom.grade.intake.collect import Submission
from llm_course.classroom.grade.marking.assignment import Assignment
from llm_course.classroom.grade.marking.report import Fault, Report, from_json
from llm_course.classroom.grade.records import gradebook as gradebooks
from llm_course.classroom.grade.records import late as lateness
from llm_course.classroom.grade.records.override import Override
from llm_course.classroom.grade.records.store import Store
from llm_course.errors import CourseError
from llm_course.executors import executor, run_jobs
from llm_course.files import atomic_write
from llm_course.lock import locked

SECRET = "secret.key"
Work = Callable[[str], str]
Progress = Callable[[Report, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Graded:
    """What a run did.

    Attributes:
        reports: those of all submissions.
        new: how many were graded just now.
        kept: how many were graded before and have not changed.
        penalties: points that being late costs, by student and chapter.
        late: a sentence for each chapter with a due date.
    """

    reports: tuple[Report, ...]
    new: int
    kept: int
    penalties: Mapping[tuple[str, str], float] = field(default_factory=dict)
    late: tuple[str, ...] = ()


def grade_all(
    assignments: Mapping[str, tuple[Assignment, Mapping[str, Any]]],
    submissions: Sequence[Submission],
    out: Path,
    *,
    work: Work,
    jobs: int = 1,
    scheduler: str | None = None,
    wait: bool = False,
    overrides: Sequence[Override] = (),
    due: Mapping[str, datetime] | None = None,
    config: Config | None = None,
    progress: Progress = lambda report, done, total: None,
) -> Graded:
    """Grade submissions into the folder `out`, and give the reports of all of them.

    Args:
        assignments: by ``chapter/notebook``, each with the specification that names it in jobs.
        submissions: what was handed in.
        out: the folder of grades.
        work: what grades a job, a function at the top level of a module.
        jobs: how many at a time.
        scheduler: a Dask scheduler's address instead of processes of this machine.
        wait: wait for another grader to end.
        overrides: points set by hand.
        due: due dates by chapter; without one, the gradebook's stays.
        config: nbgrader's configuration, which says what being late costs.
        progress: told of every report that was made, with how many are done of how many.

    Raises:
        CourseError: another grader is at work in `out`, or its gradebook is damaged.
    """
    with locked(out, wait=wait):
        store, secret = Store(out), course_secret(out)
        hashes = {key: grader_hash(given) for key, (given, _) in assignments.items()}
        gradebooks.back_up(out)
        given = [given for given, _ in assignments.values()]
        new, kept = _split(submissions, store, hashes)
        with gradebooks.opened(out) as book:
            gradebooks.prepare(book, given, due)
            enter = _enterer(book, submissions)
            for report in kept:
                enter(report)
            todo = [(s, _maker(s, assignments[s.key][1], secret, hashes[s.key])) for s in new]
            with executor(jobs, scheduler) as new_executor:
                answers = run_jobs(work, todo, new_executor, at_once=2 * jobs)
                for number, report in enumerate(_reports(answers, hashes), start=1):
                    store.write(report)
                    enter(report)
                    progress(report, number, len(new))
            gradebooks.apply_overrides(book, overrides)
            penalties, late = lateness.settle(book, {g.chapter for g in given}, config)
        for submission in submissions:
            store.keep(submission.sha256, submission.data)
        found = [store.read(s.student, s.chapter, s.notebook) for s in submissions]
    made = tuple(report for report in found if report)
    return Graded(reports=made, new=len(new), kept=len(kept), penalties=penalties, late=late)


def grader_hash(assignment: Assignment) -> str:
    """What a grade depends on besides what was handed in: the tests, and the package."""
    content = hashlib.sha256()
    for question in assignment.questions:
        parts = [question.grade_id, question.stub, *question.withheld]
        parts += [f"{t.grade_id} {t.points} {t.source}" for t in question.tests]
        content.update("\0".join(parts).encode())
    content.update("\0".join(assignment.setup).encode())
    package = Path(llm_course.__file__).parent
    files = [*sorted(package.rglob("*.py")), *assignment.helpers]
    for path in (*files, *sorted(p for p in assignment.wrong_answers.values() if p.is_file())):
        content.update(path.name.encode() + b"\0" + path.read_bytes())
    return content.hexdigest()


def _split(
    submissions: Sequence[Submission], store: Store, hashes: Mapping[str, str]
) -> tuple[list[Submission], list[Report]]:
    """Submissions to grade, and the reports of those that need not be graded again."""
    new, kept = [], []
    for submission in submissions:
        report = store.read(submission.student, submission.chapter, submission.notebook)
        same = report is not None and (report.submission_hash, report.grader_hash) == (
            submission.sha256,
            hashes[submission.key],
        )
        if same and report.status == "graded":
            kept.append(report)
        else:
            new.append(submission)
    return new, kept


def _enterer(book: Gradebook, submissions: Sequence[Submission]) -> Callable[[Report], None]:
    """What enters a report with the time at which the chapter's last notebook was handed in."""
    found: dict[tuple[str, str], datetime] = {}
    for given in submissions:
        if given.handed_in is not None:
            key = given.student, given.chapter
            found[key] = max(given.handed_in, found.get(key, given.handed_in))

    def enter(report: Report) -> None:
        gradebooks.enter(book, report, found.get((report.student, report.chapter)))

    return enter


def _maker(
    submission: Submission, spec: Mapping[str, Any], secret: bytes, hashed: str
) -> Callable[[], str]:
    """What makes the text of a submission's job when its turn comes."""

    def make() -> str:
        return json.dumps(
            {
                "spec": dict(spec),
                "student": submission.student,
                "data": base64.b64encode(submission.data).decode(),
                "submission_hash": submission.sha256,
                "secret": base64.b64encode(secret).decode(),
                "grader_hash": hashed,
            }
        )

    return make


def _reports(
    answers: Iterator[tuple[Submission, str | BaseException]], hashes: Mapping[str, str]
) -> Iterator[Report]:
    """The reports in the answers; an answer that is none becomes the grader's fault."""
    for submission, answer in answers:
        try:
            if isinstance(answer, BaseException):
                raise answer
            report = from_json(answer)
        except Exception as error:
            yield _lost(submission, hashes[submission.key], f"{type(error).__name__}: {error}")
            continue
        yield replace(report, student=submission.student, submission_hash=submission.sha256)


def _lost(submission: Submission, hashed: str, reason: str) -> Report:
    """The report on a submission that the grader failed on."""
    fault = Fault(
        name="grader-stopped",
        message="The grader could not finish this notebook; run it again to grade it. "
        f"({reason[:200]})",
        blame="grader",
        cost=True,
    )
    return Report(
        student=submission.student,
        chapter=submission.chapter,
        notebook=submission.notebook,
        submission_hash=submission.sha256,
        grader_hash=hashed,
        status="grader-fault",
        faults=(fault,),
    )


def course_secret(out: Path) -> bytes:
    """The course's secret, made at the first use and readable by its owner alone.

    Raises:
        CourseError: it is too short to be one.
    """
    path = out / SECRET
    if not path.is_file():
        out.mkdir(parents=True, exist_ok=True)
        atomic_write(path, secrets.token_hex(32))
        path.chmod(0o600)
    secret = path.read_bytes().strip()
    if len(secret) < 32:
        raise CourseError(
            f"{path}: expected the course's secret, got {len(secret)} characters. "
            "Fix: restore it from your backup, or delete it and grade everything again"
        )
    return secret
