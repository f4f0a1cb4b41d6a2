"""The grade of one notebook: from the bytes that were handed in to a report.

The score comes from the trusted side alone. Visible tests of all questions run before any hidden
one, so that nothing a student is shown can hold a hidden input.
"""

import hashlib
import hmac
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import llm_course
from llm_course.classroom.author.wrong_answers import wrong_answers_in
from llm_course.classroom.grade.marking import trial
from llm_course.classroom.grade.marking.answers import Answers
from llm_course.classroom.grade.marking.assignment import Assignment, Question, Test
from llm_course.classroom.grade.marking.misconception import misconception_of
from llm_course.classroom.grade.marking.needed_imports import needed
from llm_course.classroom.grade.marking.preflight import Rebuilt, rebuild
from llm_course.classroom.grade.marking.report import Fault, QuestionResult, Report, TestResult
from llm_course.classroom.grade.marking.trial import Proxy, Space, TestAtFault
from llm_course.classroom.grade.walls.sandbox import temporary
from llm_course.files import cache_dir

NOT_ANSWERED = "not answered yet."
LONGEST_ANSWER = 20_000


def mark(
    assignment: Assignment,
    student: str,
    data: bytes,
    *,
    secret: bytes,
    grader_hash: str = "",
    only_visible: bool = False,
    sandboxed: bool = True,
) -> Report:
    """Grade one notebook of one student.

    Args:
        assignment: what was asked.
        student: the student's id.
        data: the notebook's file as it was handed in.
        secret: the course's secret, from which the random inputs follow.
        grader_hash: what else the grade depends on, to be kept in the report.
        only_visible: run the visible tests only, as a student does before handing in.
        sandboxed: False runs the answers without walls; with the visible tests only.

    Raises:
        ValueError: hidden tests are to run without a sandbox.
    """
    if not (sandboxed or only_visible):
        raise ValueError("sandboxed: expected True where hidden tests run, got False.")
    began = time.monotonic()
    handed_in = hashlib.sha256(data).hexdigest()
    rebuilt = rebuild(assignment, data)
    results, faults, outputs = _tested(
        assignment, rebuilt, seed_of(secret, handed_in), only_visible, sandboxed
    )
    return Report(
        student=student,
        chapter=assignment.chapter,
        notebook=assignment.name,
        submission_hash=handed_in,
        grader_hash=grader_hash,
        status="grader-fault" if any(f.blame == "grader" for f in faults) else "graded",
        questions=results,
        faults=(*rebuilt.faults, *faults),
        outputs=tuple(outputs),
        seconds=round(time.monotonic() - began, 2),
    )


def seed_of(secret: bytes, handed_in: str) -> int:
    """The seed of a submission's random inputs: unpredictable, and the same when graded again.

    >>> seed_of(b"secret", "00") == seed_of(b"secret", "00") != seed_of(b"other", "00")
    True
    """
    digest = hmac.new(secret, handed_in.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def _tested(
    assignment: Assignment, rebuilt: Rebuilt, seed: int, only_visible: bool, sandboxed: bool
) -> tuple[tuple[QuestionResult, ...], list[Fault], list[Any]]:
    """Every question's result, what went wrong, and what the cells showed."""
    sources = [cell.source for cell in rebuilt.cells if cell.kind != "setup"]
    tests = [test.source for question in assignment.questions for test in question.tests]
    solutions = [question.solution for question in assignment.questions]
    packages = [Path(llm_course.__file__).parent, *assignment.helpers]
    space = trial.set_up(needed(assignment.setup, [*tests, *solutions]), seed)
    with tempfile.TemporaryDirectory(prefix="llmg-view-", dir=temporary()) as work:
        answers = Answers(
            assignment=assignment,
            cells=rebuilt.cells,
            setup=needed(assignment.setup, [*sources, *tests]),
            packages=packages,
            work=Path(work),
            answered=frozenset(q.grade_id for q in assignment.questions if _answered(q, rebuilt)),
            readable=[cache_dir()],
            sandboxed=sandboxed,
        )
        with answers:
            answers.begin()
            found, faults = _run_tests(assignment, rebuilt, answers, space, only_visible)
        questions = tuple(found[question.grade_id] for question in assignment.questions)
        return questions, [*answers.faults, *faults], answers.outputs


def _run_tests(
    assignment: Assignment, rebuilt: Rebuilt, answers: Answers, space: Space, only_visible: bool
) -> tuple[dict[str, QuestionResult], list[Fault]]:
    """The results of all tests: visible ones of every question first."""
    results: dict[str, TestResult] = {}
    faults: list[Fault] = []
    proxies = {
        question.grade_id: {name: Proxy(name, question, answers) for name in question.functions}
        for question in assignment.questions
    }
    for hidden in (False,) if only_visible else (False, True):
        for question in assignment.questions:
            for test in question.tests:
                if test.hidden == hidden:
                    functions = proxies[question.grade_id]
                    answered = _answered(question, rebuilt)
                    results[test.grade_id] = _run_one(
                        question, test, answered, functions, space, faults
                    )
    found = {}
    for question in assignment.questions:
        answer = rebuilt.answers.get(question.grade_id, "")
        told = ("", "")
        tests = tuple(results[t.grade_id] for t in question.tests if t.grade_id in results)
        wrong = _answered(question, rebuilt) and not all(test.passed for test in tests)
        if not only_visible and wrong and _usable(proxies[question.grade_id].values()):
            told = _misconception(assignment, question, proxies[question.grade_id], space)
        found[question.grade_id] = QuestionResult(
            grade_id=question.grade_id,
            title=question.title,
            optional=question.optional,
            tests=tests,
            answer=answer[:LONGEST_ANSWER],
            misconception_name=told[0],
            misconception=told[1],
            link=f"{assignment.key}.html#{question.grade_id}",
        )
    return found, faults


def _run_one(
    question: Question,
    test: Test,
    answered: bool,
    functions: Mapping[str, Proxy],
    space: Space,
    faults: list[Fault],
) -> TestResult:
    """One test's result; an unanswered or lost question is not asked."""
    nothing = {
        "points": 0.0,
        "max_points": test.points,
        "grade_id": test.grade_id,
        "hidden": test.hidden,
    }
    if not answered:
        return TestResult(**nothing, message=NOT_ANSWERED)
    if any(function.gone for function in functions.values()):
        return TestResult(**nothing, message="not run: your function stopped an earlier test.")
    try:
        return trial.run_test(test, functions, space)
    except TestAtFault as error:
        faults.append(Fault(name="test-at-fault", message=str(error), blame="grader", cost=True))
        return TestResult(**nothing, message="the test itself is at fault; it will be mended.")


def _answered(question: Question, rebuilt: Rebuilt) -> bool:
    """Whether the student wrote something else than the stub."""
    answer = rebuilt.answers.get(question.grade_id, "").strip()
    return bool(answer) and answer != question.stub.strip()


def _usable(functions: Iterable[Proxy]) -> bool:
    """Whether the functions still answer."""
    return not any(function.gone or function.withheld for function in functions)


def _misconception(
    assignment: Assignment, question: Question, functions: Mapping[str, Proxy], space: Space
) -> tuple[str, str]:
    """The catalogued mistake that a wrong answer behaves like."""
    path = assignment.wrong_answers.get(question.grade_id)
    if path is None or not path.is_file():
        return "", ""
    wrong: dict[str, tuple[str, Callable[..., Any]]] = {
        mistake.name: (mistake.misconception, mistake.function)
        for mistake in wrong_answers_in(path)
    }
    return misconception_of(question, functions, wrong, space)
