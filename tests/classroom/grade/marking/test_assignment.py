"""What a notebook asks, read from the course's own sources."""

from pathlib import Path

import pytest

from llm_course.classroom.course import find_root, notebooks
from llm_course.classroom.coverage.topics import read_topics
from llm_course.classroom.grade.marking import assignment as module
from llm_course.classroom.grade.marking.assignment import defined_names, of_chapter
from llm_course.errors import CourseError

ROOT = find_root(Path(__file__).parent)
ALL = [of_chapter(ROOT, notebook) for notebook in notebooks(ROOT)]


def test_the_chapter_s_questions_and_points():
    found = next(each for each in ALL if each.key == "07_attention/self_attention")
    assert [question.grade_id for question in found.questions] == [
        "ex-07-1-scaled-dot-product",
        "ex-07-2-padding-mask",
        "ex-07-3-causal-mask",
        "ex-07-4-multi-head",
        "ex-07-5-head-entropy",
    ]
    first = found.questions[0]
    assert first.functions == ("scaled_dot_product_attention",)
    assert first.title == "Scaled dot-product attention"
    assert [(test.points, test.hidden) for test in first.tests] == [(1, False), (3, True)]
    assert "NotImplementedError" in first.stub and "SOLUTION" not in first.stub
    assert [question.optional for question in found.questions] == [False] * 4 + [True]
    assert found.points == 18 and found.version and found.title == "Self-attention, step by step"
    assert found.setup[0].startswith("SCALE") and "import torch" in found.setup[1]


def test_the_visible_part_of_a_test():
    test = module.Test(
        grade_id="t",
        points=1,
        source="a = 1\n### BEGIN HIDDEN TESTS\nb = 2\n### END HIDDEN TESTS\nc = 3",
        hidden=True,
    )
    assert test.visible_part == "a = 1\nc = 3"


@pytest.mark.parametrize("found", ALL, ids=lambda found: found.key)
def test_every_answer_of_the_package_is_withheld(found):
    topics = read_topics(ROOT)
    for question in found.questions:
        graded = [topic for topic in topics if question.grade_id in topic.exercises]
        for name in question.functions:
            symbols = {s for topic in graded for s in topic.code if s.endswith(f".{name}")}
            assert symbols and symbols <= set(question.withheld), (
                f"{question.grade_id}: withheld.yml must name {symbols}"
            )


def test_a_missing_release_is_an_error(tmp_path):
    with pytest.raises(CourseError, match="Fix: make release"):
        of_chapter(tmp_path, notebooks(ROOT)[0])


def test_defined_names_of_broken_code():
    assert defined_names("def f(:") == ()
