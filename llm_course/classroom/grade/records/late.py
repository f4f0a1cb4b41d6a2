"""Due dates and what being late costs: nbgrader's rules, from nbgrader's configuration.

The gradebook holds each chapter's due date, extensions given to students, and when each student
handed in. Which plugin prices lateness is said in ``nbgrader_config.py``; nbgrader brings two
methods (``none`` and ``zero``), and `PercentADay` is a third.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Float
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from llm_course.errors import CourseError

CONFIG = "nbgrader_config.py"
DAY = 86_400.0  # seconds


class PercentADay(LateSubmissionPlugin):
    """Every day that has begun costs a percentage of the points that were earned.

    ``penalty = score * min(1, percent / 100 * ceil((late - grace) / 1 day))``

    >>> PercentADay(percent=10.0).late_submission_penalty("ada", 20.0, 1.5 * DAY)
    4.0
    >>> PercentADay(grace_minutes=30.0).late_submission_penalty("ada", 20.0, 600.0)
    0.0
    """

    percent = Float(10.0, min=0.0, max=100.0, help="Of the points, for each day begun.").tag(
        config=True
    )
    grace_minutes = Float(0.0, min=0.0, help="Minutes that cost nothing.").tag(config=True)

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """The points to deduct from a notebook's score."""
        seconds = max(0.0, total_seconds_late - 60.0 * self.grace_minutes)
        return score * min(1.0, self.percent / 100.0 * ceil(seconds / DAY))


def due_dates(texts: Sequence[str], chapters: Collection[str]) -> dict[str, datetime]:
    """Due dates from ``CHAPTER=DATE``; a date without a zone is in this machine's.

    Raises:
        CourseError: a chapter is unknown, or a date is none.

    >>> due_dates(["07_attention=2026-11-30T23:59+01:00"], ["07_attention"])["07_attention"]
    datetime.datetime(2026, 11, 30, 22, 59, tzinfo=datetime.timezone.utc)
    """
    found = {}
    for text in texts:
        chapter, _, date = text.partition("=")
        try:
            when = datetime.fromisoformat(date.strip())
        except ValueError as error:
            raise CourseError(
                f"due date: expected CHAPTER=DATE such as 07_attention=2026-11-30T23:59, got "
                f"{text!r}. Fix: write it so"
            ) from error
        if chapter not in chapters:
            raise CourseError(
                f"due date: expected one of the chapters that are graded "
                f"({', '.join(sorted(chapters))}), got {chapter!r}. Fix: correct its name"
            )
        found[chapter] = when.astimezone(UTC)
    return found


def configuration(root: Path) -> Config:
    """What ``nbgrader_config.py`` of the repository says; nothing where there is none."""
    if not (Path(root) / CONFIG).is_file():
        return Config()
    return PyFileConfigLoader(CONFIG, path=str(root)).load_config()


def settle(
    gradebook: Gradebook, chapters: Collection[str], config: Config | None = None
) -> tuple[dict[tuple[str, str], float], tuple[str, ...]]:
    """Enter the penalties, and give them with a sentence for each chapter that was due."""
    penalties = assign_penalties(gradebook, chapters, config or Config())
    return penalties, tuple(late_students(gradebook, chapters))


def assign_penalties(
    gradebook: Gradebook, chapters: Collection[str], config: Config
) -> dict[tuple[str, str], float]:
    """Enter what being late costs each notebook, and give the sums by student and chapter.

    nbgrader's ``AssignLatePenalties`` does the same, one notebook of one student at a time, each
    with a new connection.

    Args:
        gradebook: nbgrader's gradebook with hand-in times.
        chapters: the chapters to look at.
        config: nbgrader's configuration, which chooses the plugin.
    """
    step = AssignLatePenalties(config=config)
    step.init_plugin()
    found: dict[tuple[str, str], float] = {}
    for chapter in sorted(chapters):
        for submission in gradebook.assignment_submissions(chapter):
            late = submission.total_seconds_late
            for notebook in submission.notebooks:
                penalty = None
                if late > 0:
                    penalty = step.plugin_inst.late_submission_penalty(
                        submission.student_id, notebook.score, late
                    )
                if penalty is not None:
                    penalty = min(max(0.0, penalty), max(0.0, notebook.score))
                notebook.late_submission_penalty = penalty
                if penalty:
                    key = submission.student_id, chapter
                    found[key] = found.get(key, 0.0) + penalty
        gradebook.db.commit()
    return found


def late_students(gradebook: Gradebook, chapters: Collection[str]) -> list[str]:
    """A sentence for each chapter with a due date: when, and who handed in late by how much."""
    told = []
    for chapter in sorted(chapters):
        due = gradebook.find_assignment(chapter).duedate
        if due is None:
            continue
        late = {
            submission.student_id: submission.total_seconds_late
            for submission in gradebook.assignment_submissions(chapter)
            if submission.total_seconds_late > 0
        }
        names = ", ".join(f"{name} ({seconds / 3600:.1f} h)" for name, seconds in late.items())
        told.append(f"{chapter}: due {due:%Y-%m-%d %H:%M} UTC; late: {names or 'nobody'}.")
    return told
