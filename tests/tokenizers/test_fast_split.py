"""The fast splitting against the rules themselves, as the regex module follows them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.tokenizers.byte_level import CL100K_SPLIT, GPT2_SPLIT, SMOLLM_SPLIT, split_words
from llm_course.tokenizers.fast_split import split_chunks, split_fast, split_stretches

RULES = [GPT2_SPLIT, SMOLLM_SPLIT, CL100K_SPLIT]
# What the rules tell apart, and their neighbours: endings, digits of other scripts, a letter
# without case, marks, a combining accent, the long s, half a surrogate pair, all kinds of space.
CHARACTERS = (
    "abZsStTrReElLvVdDmM'019!. \n\r\t\x0b\x0c\x1c\x1f\x00-é中٣²\u0301ſ😀_\ud800\xa0\u3000\x85"
)
TEXTS = st.text(alphabet=CHARACTERS, max_size=16) | st.text()


@pytest.mark.parametrize("rule", RULES)
@given(text=TEXTS)
@settings(max_examples=500, deadline=None)
def test_the_words_are_the_rules(rule: str, text: str) -> None:
    assert split_fast(text, rule) == split_words(text, rule)


@pytest.mark.parametrize("rule", RULES)
@given(text=TEXTS)
@settings(max_examples=500, deadline=None)
def test_no_word_goes_across_chunks(rule: str, text: str) -> None:
    chunks = split_chunks(text, rule)
    if chunks is not None:
        words = [word for chunk in chunks for word in split_words(chunk, rule)]
        assert words == split_words(text, rule)


@pytest.mark.parametrize("rule", RULES)
def test_varied_strings(rule: str, varied_strings: list[str]) -> None:
    for text in varied_strings:
        assert split_fast(text, rule) == split_words(text, rule)


@pytest.mark.parametrize("rule", RULES)
def test_the_fast_way_is_taken(rule: str) -> None:
    assert split_chunks("one é\xa0b two\n three", rule) is not None, "a lone wide space is no bar"
    assert split_stretches("caf\u00e9-bar", rule) == ["caf\u00e9-bar"]
    assert split_chunks("one \xa0 two", rule) is None


def test_a_rule_without_a_twin() -> None:
    assert split_chunks("a b", r"\w|\W") is None
    assert split_fast("a b", r"\w|\W") == ["a", " ", "b"]


def test_digits() -> None:
    assert split_fast("x 1234567", GPT2_SPLIT) == ["x", " 1234567"]
    assert split_fast("x 1234567", SMOLLM_SPLIT) == ["x", " ", *"1234567"]
    assert split_fast("x 1234567", CL100K_SPLIT) == ["x", " ", "123", "456", "7"]
