"""The area under the curve, against all pairs counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.cleaning.measures import auc

SCORES = st.lists(st.integers(-3, 3), min_size=1, max_size=12)


@given(SCORES, SCORES)
def test_against_all_pairs(higher, lower):
    wins = sum((a > b) + (a == b) / 2 for a in higher for b in lower)
    assert auc(higher, lower) == pytest.approx(wins / (len(higher) * len(lower)))


def test_infinite_scores_are_scores():
    assert auc([float("inf")], [1.0]) == 1.0


def test_both_kinds_are_needed():
    with pytest.raises(ValueError, match="expected scores in both, got 1 and 0"):
        auc([1.0], [])
