"""Counts against a search through the padded text, probabilities against the definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.evolution.ngrams import START, add_k_probability, count_ngrams, histories

TEXTS = st.lists(st.lists(st.integers(1, 3), max_size=6), min_size=1, max_size=5)


@given(texts=TEXTS, order=st.integers(1, 4))
def test_counts_against_a_search(texts, order):
    counts = count_ngrams(texts, order, end_id=0)
    padded = [[START] * (order - 1) + text + [0] for text in texts]
    windows = [tuple(p[i : i + order]) for p in padded for i in range(len(p) - order + 1)]
    assert {(h, w): n for h, seen in counts.items() for w, n in seen.items()} == {
        (window[:-1], window[-1]): windows.count(window) for window in windows
    }


@given(texts=TEXTS, order=st.integers(1, 3), k=st.floats(0.01, 3))
def test_every_distribution_sums_to_one(texts, order, k):
    counts = count_ngrams(texts, order, end_id=0)
    unseen = (9,) * (order - 1)
    for history in [*counts, unseen]:
        shares = [add_k_probability(counts, history, w, vocab_size=5, k=k) for w in range(5)]
        assert sum(shares) == pytest.approx(1, abs=1e-12)
        assert min(shares) > 0


def test_laplace_by_hand():
    counts = count_ngrams([[1, 2], [1, 1]], order=2, end_id=0)
    assert add_k_probability(counts, (1,), 2, vocab_size=3) == pytest.approx((1 + 1) / (3 + 3))
    assert add_k_probability(counts, (2,), 2, vocab_size=3, k=0.5) == pytest.approx(0.5 / 2.5)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="order: expected 1 or more, got 0"):
        list(histories([1], 0, 0))
    with pytest.raises(ValueError, match="text: expected token ids of 0 or more, got -1"):
        list(histories([1, START], 2, 0))
    with pytest.raises(ValueError, match="k: expected a positive number"):
        add_k_probability({}, (), 1, 3, k=0)
