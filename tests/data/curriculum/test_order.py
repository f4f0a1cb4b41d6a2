"""Order by difficulty: sorted, stable, and with the generator's own levels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.data.curriculum.order import by_difficulty, by_length, ranks
from llm_course.data.tiny_world.text import documents


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100)))
def test_it_is_a_stable_sort(scores):
    found = by_difficulty(scores, float).tolist()
    assert found == sorted(range(len(scores)), key=lambda i: scores[i])


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9))))
def test_by_length_is_short_to_long(texts):
    lengths = [len(texts[i]) for i in by_length(texts)]
    assert lengths == sorted(lengths)


def test_the_scorer_may_be_any_fact_of_a_document():
    found = list(documents(20_000, seed=0))
    levels = [
        found[i].metadata["level"] for i in by_difficulty(found, lambda d: d.metadata["level"])
    ]
    assert levels == sorted(levels) and set(levels) == {1, 2, 3}


@settings(deadline=None)
@given(st.permutations(range(7)))
def test_ranks_invert_the_order(order):
    assert (ranks(np.array(order))[order] * 6).round().tolist() == list(range(7))


def test_one_document_is_easy():
    assert ranks(np.array([0])).tolist() == [0.0]


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_must_be_a_number(score):
    with pytest.raises(ValueError, match=r"scorer: expected finite numbers, got .* document 1"):
        by_difficulty([0.0, score], float)
