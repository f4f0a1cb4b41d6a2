"""Item analysis: how hard each exercise was, what it tells apart, and what went wrong in it.

It looks at what the grader found: points set by hand and late penalties, which say nothing about
an exercise, are left out, and so is what the grader failed to grade. Nobody is named.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from llm_course.classroom.grade.marking.report import QuestionResult, Report
from llm_course.classroom.grade.outputs.wording import outcome
from llm_course.classroom.grade.records.class_grades import ClassGrades
from llm_course.classroom.lesson.intervals import wilson_interval


@dataclass(frozen=True, kw_only=True)
class ItemTest:
    """One test: how many of the answers that met it passed."""

    grade_id: str
    hidden: bool
    n: int
    passed: int


@dataclass(frozen=True, kw_only=True)
class Item:
    """One exercise.

    Attributes:
        n: answers that were graded.
        solved: those with every point.
        interval: Wilson's 95 % interval for the share of solved ones.
        mean_points: the points that an answer got on average.
        discrimination: the point-biserial correlation of solving it with the points in all other
            exercises; None where it is undefined, and `undefined` says why.
        misconceptions: each with its name, its text and how many answers behave like it.
    """

    chapter: str
    notebook: str
    grade_id: str
    title: str
    optional: bool
    max_points: float
    n: int
    solved: int
    interval: tuple[float, float]
    mean_points: float
    discrimination: float | None
    undefined: str
    misconceptions: tuple[tuple[str, str, int], ...]
    tests: tuple[ItemTest, ...]

    @property
    def rate(self) -> float:
        """The share of answers that solve it."""
        return self.solved / self.n


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """A class.

    Attributes:
        submissions: how many notebooks were graded.
        students: of how many students.
        to_regrade: notebooks that the grader failed to grade.
        shares: each student's points as a share of those to be had in what was handed in, sorted.
        items: in the order of chapters, notebooks and exercises.
        faults: each name with the number of submissions in which it was found.
    """

    submissions: int
    students: int
    to_regrade: int
    shares: tuple[float, ...]
    items: tuple[Item, ...]
    faults: tuple[tuple[str, int], ...]


def analyse(reports: Sequence[Report]) -> Analysis:
    """The item analysis of a class; of nothing, and of one submission, too."""
    everything = ClassGrades(reports).graded
    graded = [report for report in everything if report.status == "graded"]
    points = {s: _points(graded, s) for s in sorted({report.student for report in graded})}
    shares = [got / most for got, most in points.values() if most > 0]
    return Analysis(
        submissions=len(graded),
        students=len(points),
        to_regrade=len(everything) - len(graded),
        shares=tuple(sorted(shares)),
        items=tuple(_items(graded, {s: got for s, (got, _) in points.items()})),
        faults=_faults(graded),
    )


def point_biserial(solved: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Correlation of a yes-or-no with a score; None where either does not vary.

    ``(M1 - M0) / s * sqrt(p (1 - p))`` with the mean score of either group, the standard
    deviation of all scores and the share ``p`` of yes. It is Pearson's correlation with 0 and 1.

    Source:
        Lev 1949, The point biserial coefficient of correlation, Annals of Mathematical
        Statistics 20, 125-126.

    >>> point_biserial([True, True, False, False], [4.0, 2.0, 2.0, 0.0])
    0.7071067811865475
    """
    yes = [score for answer, score in zip(solved, scores, strict=True) if answer]
    no = [score for answer, score in zip(solved, scores, strict=True) if not answer]
    if not yes or not no or _equal(scores):
        return None
    p = len(yes) / len(solved)
    return (fmean(yes) - fmean(no)) / pstdev(scores) * math.sqrt(p * (1 - p))


def _items(graded: Sequence[Report], points: dict[str, float]) -> list[Item]:
    """Every exercise, in the order in which the notebooks have them."""
    found: dict[tuple[str, str, str], list[tuple[str, QuestionResult]]] = {}
    for report in sorted(graded, key=lambda r: (r.chapter, r.notebook, -len(r.questions))):
        for question in report.questions:
            key = (report.chapter, report.notebook, question.grade_id)
            found.setdefault(key, []).append((report.student, question))
    return [_item(key, answers, points) for key, answers in found.items()]


def _item(
    key: tuple[str, str, str],
    answers: Sequence[tuple[str, QuestionResult]],
    points: dict[str, float],
) -> Item:
    """One exercise, from every student's result."""
    questions = [question for _, question in answers]
    solved = [_solved(question) for question in questions]
    rest = [points[student] - question.points for student, question in answers]
    discrimination = point_biserial(solved, rest)
    chapter, notebook, grade_id = key
    return Item(
        chapter=chapter,
        notebook=notebook,
        grade_id=grade_id,
        title=questions[0].title,
        optional=questions[0].optional,
        max_points=max(question.max_points for question in questions),
        n=len(questions),
        solved=sum(solved),
        interval=wilson_interval(sum(solved), len(solved)),
        mean_points=fmean(question.points for question in questions),
        discrimination=discrimination,
        undefined=_why(solved, rest) if discrimination is None else "",
        misconceptions=_misconceptions(questions),
        tests=_tests(questions),
    )


def _why(solved: Sequence[bool], rest: Sequence[float]) -> str:
    """Why there is no discrimination."""
    if len(solved) < 2:
        return "one answer only"
    if all(solved):
        return "everybody solved it"
    if not any(solved):
        return "nobody solved it"
    return "no other points" if not any(rest) else "all have the same other points"


def _solved(question: QuestionResult) -> bool:
    """Whether an answer has every point."""
    tests = question.tests
    return bool(tests) and all(outcome(test) == "passed" for test in tests)


def _misconceptions(questions: Sequence[QuestionResult]) -> tuple[tuple[str, str, int], ...]:
    """The misconceptions that were recognised, the most frequent first."""
    texts = {q.misconception_name or q.misconception: q.misconception for q in questions}
    counts = Counter(q.misconception_name or q.misconception for q in questions)
    del counts[""]
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple((name, texts[name], count) for name, count in ordered)


def _tests(questions: Sequence[QuestionResult]) -> tuple[ItemTest, ...]:
    """Every test of an exercise."""
    results: dict[str, list[tuple[bool, bool]]] = {}
    for question in questions:
        for test in question.tests:
            passed = outcome(test) == "passed"
            results.setdefault(test.grade_id, []).append((test.hidden, passed))
    return tuple(
        ItemTest(grade_id=name, hidden=met[0][0], n=len(met), passed=sum(p for _, p in met))
        for name, met in results.items()
    )


def _faults(graded: Sequence[Report]) -> tuple[tuple[str, int], ...]:
    """In how many submissions each fault was found, the most frequent first."""
    counts: Counter[str] = Counter()
    for report in graded:
        faults = [*report.faults, *(fault for q in report.questions for fault in q.faults)]
        counts.update({fault.name for fault in faults})
    return tuple(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def _points(graded: Sequence[Report], student: str) -> tuple[float, float]:
    """What a student has, and could have in what was handed in."""
    own = [report for report in graded if report.student == student]
    return sum(report.points for report in own), sum(report.max_points for report in own)


def _equal(scores: Sequence[float]) -> bool:
    """Whether all scores are one, but for the noise of floating point."""
    return max(scores) - min(scores) < 1e-9
