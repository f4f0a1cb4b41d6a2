"""Reports made by hand, a simulated class of forty, and a reader of pages."""

import html.parser
import json
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from llm_course.classroom.course import find_root
from llm_course.classroom.grade.marking.report import (
    Fault,
    QuestionResult,
    Report,
    TestResult,
    from_json,
    to_json,
)
from llm_course.classroom.grade.records.class_run import known_assignments

ROOT = find_root(Path(__file__).parent)
KEY = "07_attention/self_attention"

# Exercise, title, points of its visible and hidden test, how hard it is, misconceptions.
EXERCISES = [
    ("ex-07-0-warm-up", "Shapes of a batch", (1, 1), -9.0, {}),
    (
        "ex-07-1-scaled-dot-product",
        "Scaled dot-product attention",
        (1, 3),
        -1.0,
        {
            "no_scale": "The scores are not divided by the root of d_k, so every row of weights "
            "is too sharp.",
            "softmax_over_queries": "The softmax runs down the columns: the weights of a key sum "
            "to 1, not those of a query.",
        },
    ),
    (
        "ex-07-2-padding-mask",
        "A mask for padding",
        (1, 2),
        -0.4,
        {
            "mask_upside_down": "True is taken to mean hidden, so a query attends to exactly what "
            "it must not see."
        },
    ),
    (
        "ex-07-3-causal-mask",
        "A causal mask",
        (1, 2),
        0.3,
        {"off_by_one": "The diagonal is hidden too, so the first position sees nothing."},
    ),
    ("ex-07-4-multi-head", "Several heads", (2, 4), 1.2, {}),
    ("ex-07-5-head-entropy", "Entropy of a head", (1, 3), 0.6, {}),
]


def test(grade_id="test-1", points=1.0, max_points=1.0, hidden=False, message=""):
    return TestResult(
        grade_id=grade_id, points=points, max_points=max_points, hidden=hidden, message=message
    )


def question(grade_id="ex-1", tests=None, **fields):
    tests = (test(),) if tests is None else tuple(tests)
    return QuestionResult(
        grade_id=grade_id,
        tests=tests,
        **({"title": grade_id, "optional": False} | fields),
    )


def report(student="ada", questions=(), chapter="07_attention", notebook="heads", **fields):
    return Report(
        student=student,
        chapter=chapter,
        notebook=notebook,
        questions=tuple(questions),
        **({"submission_hash": "ab12" * 16, "grader_hash": "cd34" * 16} | fields),
    )


def simulated(count=40, seed=7) -> list[Report]:
    """Students of different strength; the stronger one is, the more exercises succeed."""
    chance = random.Random(seed)
    reports = []
    for index in range(count):
        strength = chance.gauss(0.4, 1.0)
        questions = [_answered(e, strength + chance.gauss(0, 0.7), chance) for e in EXERCISES]
        faults = ()
        if chance.random() < 0.15:
            faults = (
                Fault(name="missing-test-cell", message="A test cell was missing; ours ran."),
            )
        reports.append(
            report(f"student{index:02d}", questions, notebook="self_attention", faults=faults)
        )
    return reports


def _answered(exercise, strength, chance):
    name, title, (visible, hidden), hardness, misconceptions = exercise
    solved = strength > hardness
    begun = solved or strength > hardness - 0.8
    slip = chance.choice([*misconceptions, ""]) if not solved else ""
    faults = ()
    if not begun and chance.random() < 0.3:
        faults = (Fault(name="cell-timeout", message="Your cell ran for 10 s.", cost=True),)
    test_name = name.replace("ex-", "test-")
    return question(
        name,
        [
            test(test_name, visible * begun, visible, message="" if begun else "Wrong shape."),
            test(
                f"{test_name}-hidden",
                hidden * solved,
                hidden,
                hidden=True,
                message="" if solved else "A row of weights should sum to 1.",
            ),
        ],
        title=title,
        optional=name == "ex-07-5-head-entropy",
        misconception=misconceptions.get(slip, ""),
        misconception_name=slip,
        faults=faults,
    )


def sample_reports() -> list[Report]:
    """Two notebooks of one student: solved, failed, timed out, half right."""
    stored = Path(__file__).with_name("sample_student.json").read_text(encoding="utf-8")
    return [from_json(json.dumps(entry)) for entry in json.loads(stored)]


class Structure(html.parser.HTMLParser):
    """The tags and the text of a page; refuses tags that are closed in another order."""

    EMPTY = frozenset({"meta", "br", "use", "path", "rect"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    @property
    def words(self) -> str:
        """The text on one line."""
        return " ".join(self.text.split())

    def attributes(self, name: str) -> list[str | None]:
        """Every value of an attribute, in the order of the page."""
        return [attributes[name] for _, attributes in self.tags if name in attributes]


@pytest.fixture
def made() -> SimpleNamespace:
    """The functions above: ``made.report("ada", [made.question("ex-1", [made.test()])])``."""
    makers: dict[str, Callable] = {
        "test": test,
        "question": question,
        "report": report,
        "simulated": simulated,
        "sample_reports": sample_reports,
    }
    return SimpleNamespace(**makers)


@pytest.fixture
def parsed() -> type[Structure]:
    """``parsed(page)`` gives the tags and the text of a page."""
    return Structure


def full_marks(text):
    """Grades without a sandbox: every test passes."""
    job = json.loads(text)
    (given, _) = known_assignments(ROOT)[KEY]
    questions = tuple(
        QuestionResult(
            grade_id=question.grade_id,
            title=question.title,
            optional=question.optional,
            tests=tuple(
                TestResult(
                    grade_id=test.grade_id,
                    points=test.points,
                    max_points=test.points,
                    hidden=test.hidden,
                )  # fmt: skip
                for test in question.tests
            ),
        )
        for question in given.questions
    )
    return to_json(
        Report(
            student=job["student"],
            chapter=given.chapter,
            notebook=given.name,
            submission_hash="",
            grader_hash=job["grader_hash"],
            questions=questions,
        )  # fmt: skip
    )


@pytest.fixture
def in_this_process(monkeypatch):
    """Jobs run here, one after the other, by the function above."""

    def run_jobs(work, jobs, new_executor, at_once):
        for key, make in jobs:
            yield key, full_marks(make())

    monkeypatch.setattr("llm_course.classroom.grade.records.batch.run_jobs", run_jobs)
    monkeypatch.setattr(
        "llm_course.classroom.grade.records.class_run.require_bubblewrap", lambda: "bwrap"
    )


@pytest.fixture
def handed_in(tmp_path):
    for student in ("ada", "bob"):
        path = tmp_path / "in" / student / "self_attention.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    return tmp_path / "in"


@pytest.fixture
def known():
    """The assignments of the course."""
    return known_assignments(ROOT)
