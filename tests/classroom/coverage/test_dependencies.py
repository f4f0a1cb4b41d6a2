from pathlib import Path

from llm_course.classroom.coverage.dependencies import chapter_dependencies
from llm_course.classroom.coverage.topics import read_topics

ROOT = Path(__file__).parents[3]


def test_the_course_builds_on_earlier_chapters_only():
    found = chapter_dependencies(read_topics(ROOT))
    assert list(found) == sorted(found)
    assert all(before < chapter for chapter, needed in found.items() for before in needed)


def test_an_exercise_of_long_context_needs_masks_and_positions():
    found = chapter_dependencies(read_topics(ROOT))
    assert {"07_attention", "08_configuration"} <= set(found["09_long_context"])
    assert found["00_primer"] == []
