"""Planted near-duplicates: their similarity is exact, and in the range that was asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.deduplication.planted import edited, plant
from llm_course.data.documents import Document

WORDS = [f"word{number}" for number in range(200)]


def documents(n):
    return [
        Document(id=f"demo/{i}", text=" ".join(WORDS[i : i + 80]), corpus="demo", topic="x")
        for i in range(n)
    ]


def slow_jaccard(first, second):
    """Of runs of five words, as Python tuples."""
    a, b = (
        {tuple(text.split()[i : i + 5]) for i in range(len(text.split()) - 4)}
        for text in (first, second)
    )
    return len(a & b) / len(a | b)


def test_similarities_are_exact_and_reach_over_the_range():
    planted = plant(documents(100), 60, least=0.8, seed=1)
    assert len({one.original.id for one in planted}) == 60
    for one in planted:
        assert one.jaccard == pytest.approx(slow_jaccard(one.original.text, one.copy.text))
        assert one.copy.id == f"{one.original.id}/copy" and one.copy.topic == "x"
    similarities = [one.jaccard for one in planted]
    assert min(similarities) >= 0.8
    assert min(similarities) < 0.83 and max(similarities) > 0.95


def test_a_range_below_makes_copies_that_are_no_duplicates():
    planted = plant(documents(100), 30, least=0.3, most=0.6)
    assert all(0.3 <= one.jaccard < 0.65 for one in planted)


def test_a_seed_gives_the_same_copies():
    assert plant(documents(20), 5, seed=3) == plant(documents(20), 5, seed=3)
    assert plant(documents(20), 5, seed=3) != plant(documents(20), 5, seed=4)


@given(st.text(st.characters() | st.sampled_from("ab "), max_size=30), st.floats(0.1, 1))
def test_any_text_can_be_edited(text, least):
    other, similarity = edited(text, least, seed=0)
    assert similarity >= least or not text.split()
    assert similarity <= 1


def test_wrong_settings():
    with pytest.raises(ValueError, match="least, most: expected 0 < least ≤ most ≤ 1"):
        plant(documents(5), 2, least=0.9, most=0.8)
    with pytest.raises(ValueError, match="n: expected at most 5, got 6"):
        plant(documents(5), 6)
