"""Every authored chapter keeps the conventions."""

from pathlib import Path

from llm_course.classroom import author

ROOT = Path(__file__).parents[2]


def test_no_chapter_departs_from_the_conventions() -> None:
    problems = [str(problem) for problem in author.check(ROOT)]
    assert not problems, "\n" + "\n".join(problems)
