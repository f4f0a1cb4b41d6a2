from pathlib import Path

import pytest

from llm_course.classroom.coverage import report
from llm_course.classroom.coverage.topics import read_topics
from llm_course.errors import CourseError

REPOSITORY = Path(__file__).parents[3]


def test_the_courses_own_claims_are_true():
    found = report.check(REPOSITORY)
    assert not found, "\n".join(map(str, found))


def test_the_courses_own_page_names_every_topic_and_holds_no_broken_tick():
    page = report.render_page(REPOSITORY)
    rows = [line for line in page.splitlines() if line.startswith("| ") and "tick-" in line]
    assert len(rows) == len(read_topics(REPOSITORY))
    assert "✗" not in page


def test_a_false_tick_fails_with_file_line_and_remedy(sample_course):
    (sample_course / "book" / "topics.yml").write_text(
        "07_sample:\n  - id: mean\n    title: Mean\n    code: [llm_course.gone.mean]\n"
    )
    (sample_course / "book" / "_toc.yml").write_text("root: intro")
    told = [str(problem) for problem in report.check(sample_course)]
    assert told[0] == (
        "book/topics.yml:2: coverage-code: mean: expected a symbol llm_course.gone.mean, got none. "
        "Fix: correct its name."
    )


def test_without_a_list_there_is_one_line(tmp_path):
    for ask in (report.check, report.render_page):
        with pytest.raises(CourseError, match=r"book/topics.yml:1: expected the list of topics"):
            ask(tmp_path)
