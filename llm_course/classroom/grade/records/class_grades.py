"""The grades of a class: reports, roster, late penalties and overrides, summed in one place.

Every table, export and page takes its numbers from here, so they agree. What the grader itself
failed to grade has no points yet and is never counted as zero.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from llm_course.classroom.grade.marking.report import Report
from llm_course.classroom.grade.records import override as manual
from llm_course.classroom.grade.records.override import Override
from llm_course.errors import CourseError

Penalties = Mapping[tuple[str, str], float]


@dataclass(frozen=True, kw_only=True)
class Total:
    """What one student has in one chapter.

    Attributes:
        reports: the chapter's notebooks that were handed in, in order.
        earned: the points before the late penalty.
        max_points: the points to be had, in every notebook of the chapter.
        penalty: what being late costs; never more than was earned.
    """

    reports: tuple[Report, ...]
    earned: float
    max_points: float
    penalty: float

    @property
    def points(self) -> float:
        """The grade."""
        return self.earned - self.penalty

    @property
    def faults(self) -> int:
        """How many faults were found, of notebooks and of exercises."""
        return sum(
            len(report.faults) + sum(len(question.faults) for question in report.questions)
            for report in self.reports
        )

    @property
    def to_regrade(self) -> bool:
        """Whether the grader failed on a notebook: then there is no grade yet."""
        return any(report.status == "grader-fault" for report in self.reports)


@dataclass(frozen=True)
class ClassGrades:
    """Everything that the outputs are made from.

    Attributes:
        reports: in any order; of two for one notebook of one student the later one counts.
        roster: display names by student; students on it who handed in nothing are listed too.
        penalties: points deducted for being late, by student and chapter.
        overrides: points set by hand.

    Raises:
        CourseError: a penalty is not a number from 0 up.
    """

    reports: Sequence[Report]
    roster: Mapping[str, str] = field(default_factory=dict)
    penalties: Penalties = field(default_factory=dict)
    overrides: Sequence[Override] = ()

    def __post_init__(self) -> None:
        for (student, chapter), points in self.penalties.items():
            if not (math.isfinite(points) and points >= 0):
                raise CourseError(
                    f"late penalty of {student} in {chapter}: expected points from 0 up, got "
                    f"{points}. Fix: correct the number."
                )

    @cached_property
    def graded(self) -> list[Report]:
        """One report for each notebook of each student, overrides applied, sorted."""
        latest = {(r.student, r.chapter, r.notebook): r for r in self.reports}
        return manual.apply([latest[key] for key in sorted(latest)], self.overrides)

    @cached_property
    def students(self) -> list[str]:
        """Everyone on the roster or with a report, sorted."""
        return sorted({*self.roster, *(report.student for report in self.graded)})

    @cached_property
    def chapters(self) -> list[str]:
        """Every chapter that somebody handed in, sorted."""
        return sorted({report.chapter for report in self.graded})

    @cached_property
    def max_points(self) -> dict[str, float]:
        """The points to be had in each chapter: those of all of its notebooks."""
        largest: dict[tuple[str, str], float] = {}
        for report in self.graded:
            key = (report.chapter, report.notebook)
            largest[key] = max(largest.get(key, 0.0), report.max_points)
        return {
            chapter: sum(points for (where, _), points in largest.items() if where == chapter)
            for chapter in self.chapters
        }

    @cached_property
    def totals(self) -> dict[tuple[str, str], Total]:
        """The total of each student in each chapter of which they handed in something."""
        grouped: dict[tuple[str, str], list[Report]] = {}
        for report in self.graded:
            grouped.setdefault((report.student, report.chapter), []).append(report)
        return {key: self._total(key, reports) for key, reports in grouped.items()}

    def name(self, student: str) -> str:
        """The display name, or the id of someone who is not on the roster."""
        return self.roster.get(student) or student

    def of(self, student: str) -> list[Total]:
        """A student's totals, by chapter."""
        return [self.totals[student, c] for c in self.chapters if (student, c) in self.totals]

    def _total(self, key: tuple[str, str], reports: list[Report]) -> Total:
        """The total of one student in one chapter."""
        earned = sum(report.points for report in reports)
        return Total(
            reports=tuple(reports),
            earned=earned,
            max_points=self.max_points[key[1]],
            penalty=min(float(self.penalties.get(key, 0.0)), max(earned, 0.0)),
        )
