"""An instructor's own tests."""

import pytest

from llm_course.classroom.grade.marking.assignment import Assignment, Question
from llm_course.classroom.grade.marking.private_tests import with_private_tests
from llm_course.errors import CourseError

QUESTION = Question(
    grade_id="ex-07-1-mean", title="Mean", functions=("mean",), solution="", stub="", tests=()
)
GIVEN = Assignment(
    chapter="07", name="n", title="N", version="", setup=(), questions=(QUESTION,), release=None
)


def test_a_private_test_adds_its_points(tmp_path):
    (tmp_path / "ex-07-1-mean.py").write_text("# points: 2.5\nassert mean([1]) == 1\n")
    (question,) = with_private_tests(GIVEN, tmp_path).questions
    (test,) = question.tests
    assert (test.grade_id, test.points, test.hidden) == ("test-07-1-mean-private", 2.5, True)
    assert "assert mean" in test.source


def test_without_files_nothing_changes(tmp_path):
    assert with_private_tests(GIVEN, tmp_path) == GIVEN


@pytest.mark.parametrize(
    ("text", "words"),
    [("assert 1", "# points: 2"), ("# points: 1\ndef f(:", ":2: expected Python")],
)
def test_a_wrong_file_is_told(tmp_path, text, words):
    (tmp_path / "ex-07-1-mean.py").write_text(text)
    with pytest.raises(CourseError, match=words):
        with_private_tests(GIVEN, tmp_path)
