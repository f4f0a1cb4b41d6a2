"""The majority baseline, by hand."""

import pytest

from llm_course.data.tiny_world.baseline import majority_baseline


def test_by_kind():
    answers = [("a", "x"), ("a", "x"), ("a", "y"), ("b", "z")]
    assert majority_baseline(iter(answers)) == {"a": ("x", 2 / 3), "b": ("z", 1.0)}


def test_nothing_to_count():
    with pytest.raises(ValueError, match="expected at least one, got none"):
        majority_baseline([])
