"""Shingles and Jaccard's similarity against sets of Python tuples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.deduplication.shingles import jaccard, shingles

ANY_TEXT = st.text(st.characters() | st.sampled_from("ab "))


def slow_set(text, n, unit):
    words = text.casefold().split()
    items = words if unit == "words" else list(" ".join(words))
    n = min(n, len(items))
    return {tuple(items[i : i + n]) for i in range(len(items) - n + 1)} if items else set()


@given(ANY_TEXT, ANY_TEXT, st.integers(1, 4), st.sampled_from(["words", "characters"]))
def test_similarity_against_python_sets(first, second, n, unit):
    a, b = slow_set(first, n, unit), slow_set(second, n, unit)
    expected = len(a & b) / len(a | b) if a | b else 0.0
    assert jaccard(shingles(first, n, unit), shingles(second, n, unit)) == pytest.approx(expected)


@given(ANY_TEXT, st.integers(1, 6), st.sampled_from(["words", "characters"]))
def test_there_are_as_many_as_the_sets_have(text, n, unit):
    found = shingles(text, n, unit)
    assert len(np.unique(found)) == len(slow_set(text, n, unit))


def test_a_short_text_is_one_shingle_and_an_empty_one_none():
    assert len(shingles("two words", n=5)) == 1
    assert len(shingles(" \n ", n=5)) == 0
    assert jaccard(shingles(""), shingles("")) == 0.0


def test_wrong_settings():
    with pytest.raises(ValueError, match="n: expected at least 1, got 0"):
        shingles("a", n=0)
    with pytest.raises(ValueError, match="unit: expected words or characters, got 'lines'"):
        shingles("a", unit="lines")
