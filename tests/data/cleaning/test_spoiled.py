"""Spoiled text: the same words, or templates that differ between the splits."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.cleaning.spoiled import boilerplate, shuffled


@given(st.text(st.characters() | st.just(" ")), st.integers())
def test_shuffled_text_has_the_same_words(text, seed):
    assert Counter(shuffled(text, seed).split()) == Counter(text.split())


def test_a_seed_gives_the_same_and_another_seed_another():
    assert boilerplate(0) == boilerplate(0) != boilerplate(1)
    text = " ".join(map(str, range(50)))
    assert shuffled(text, 0) == shuffled(text, 0) != shuffled(text, 1)


def test_no_line_of_the_held_out_split_is_in_the_other():
    def lines(split):
        return {line for seed in range(200) for line in boilerplate(seed, split=split).split("\n")}

    assert lines("train") and not lines("train") & lines("held_out")
    with pytest.raises(ValueError, match="split"):
        boilerplate(0, split="test")
