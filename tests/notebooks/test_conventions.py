"""Every authored chapter keeps the conventions."""

from pathlib import Path

from llm_course.classroom.author import chapter_text

ROOT = Path(__file__).parents[2]


def test_no_chapter_departs_from_the_conventions() -> None:
    problems = [str(problem) for problem in chapter_text.check(ROOT)]
    assert not problems, "\n" + "\n".join(problems)
