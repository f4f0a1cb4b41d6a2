"""Naive Bayes by counting, against a slow loop over probabilities, and its properties."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.cleaning.naive_bayes import naive_bayes_log_odds

TEXTS = st.lists(st.lists(st.sampled_from("abcde"), max_size=6).map(" ".join), max_size=4)
ASKED = st.lists(st.sampled_from("abcdefAB"), max_size=8).map(" ".join)


def likelihood(word, texts, vocabulary, alpha):
    seen = [w for text in texts for w in text.split()]
    return (seen.count(word) + alpha) / (len(seen) + alpha * len(vocabulary))


@given(ASKED, TEXTS, TEXTS, st.sampled_from([0.1, 1.0, 2.0]))
def test_against_a_slow_loop(text, good, bad, alpha):
    vocabulary = {w for t in good + bad for w in t.split()}
    expected = math.prod(
        likelihood(w, good, vocabulary, alpha) / likelihood(w, bad, vocabulary, alpha)
        for w in text.lower().split()
        if w in vocabulary
    )
    got = naive_bayes_log_odds(text, good, bad, alpha)
    assert got == pytest.approx(math.log(expected), abs=1e-9)
    assert naive_bayes_log_odds(text, bad, good, alpha) == pytest.approx(-got, abs=1e-9)


def test_probabilities_of_a_class_add_up():
    vocabulary = ["a", "b", "c"]
    good, bad = ["a a b"], ["c"]  # P(w | bad) = 1/4, 1/4, 2/4
    odds = [math.exp(naive_bayes_log_odds(w, good, bad)) for w in vocabulary]
    assert sum(o * p for o, p in zip(odds, (1 / 4, 1 / 4, 2 / 4), strict=True)) == pytest.approx(1)


def test_wrong_input():
    with pytest.raises(ValueError, match="expected a number above 0, got 0"):
        naive_bayes_log_odds("a", ["a"], ["b"], alpha=0)
