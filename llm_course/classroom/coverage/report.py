"""What the course covers: the check of its topic list, and the page made from it."""

from pathlib import Path

from llm_course.classroom.coverage import checks, page
from llm_course.classroom.coverage.evidence import Evidence
from llm_course.classroom.coverage.topics import read_topics
from llm_course.classroom.problems import Problem


def check(root: Path | str) -> list[Problem]:
    """Everything that ``book/topics.yml`` names and that does not exist, or that it forgot.

    A topic that is still to come is no problem, nor is a run on a GPU that has become stale.

    Raises:
        CourseError: the list itself cannot be read.
    """
    root = Path(root).resolve()
    return checks.problems(read_topics(root), Evidence(root))


def render_page(root: Path | str) -> str:
    """The coverage page as MyST.

    Raises:
        CourseError: the list itself cannot be read.
    """
    root = Path(root).resolve()
    return page.render(read_topics(root), Evidence(root))
