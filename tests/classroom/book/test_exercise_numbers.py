"""The page says the number that the notebook says."""

from types import SimpleNamespace

from llm_course.classroom.book.exercise_numbers import number_exercises
from llm_course.classroom.release.plain_markdown import _numbered


def test_exercises_take_the_number_of_their_label_and_nothing_else_does():
    counted = {
        "06/transformer": {"exercise": {"ex-06-1-a": (15,), "ex-06-12-b": (16,)}},
        "06/other": {"figure": {"fig-06-masks": (3,)}, "exercise": {"unlabelled": (17,)}},
    }
    number_exercises(None, SimpleNamespace(toc_fignumbers=counted))
    assert counted == {
        "06/transformer": {"exercise": {"ex-06-1-a": (6, 1), "ex-06-12-b": (6, 12)}},
        "06/other": {"figure": {"fig-06-masks": (3,)}, "exercise": {"unlabelled": (17,)}},
    }
    for label, number in counted["06/transformer"]["exercise"].items():
        assert _numbered(label) == f"Exercise {number[0]}.{number[1]}"
