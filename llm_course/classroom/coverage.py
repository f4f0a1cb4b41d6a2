"""What the course covers: the check of its topic list, and the page made from it."""

from pathlib import Path

from llm_course.classroom import coverage_checks, coverage_page
from llm_course.classroom.coverage_evidence import Evidence
from llm_course.classroom.problems import Problem
from llm_course.classroom.topics import read_topics


def check(root: Path | str) -> list[Problem]:
    """Everything that ``book/topics.yml`` names and that does not exist, or that it forgot.

    A topic that is still to come is no problem, nor is a run on a GPU that has become stale.

    Raises:
        CourseError: the list itself cannot be read.
    """
    root = Path(root).resolve()
    return coverage_checks.problems(read_topics(root), Evidence(root))


def render_page(root: Path | str) -> str:
    """The coverage page as MyST.

    Raises:
        CourseError: the list itself cannot be read.
    """
    root = Path(root).resolve()
    return coverage_page.render(read_topics(root), Evidence(root))
