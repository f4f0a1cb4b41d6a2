"""Five rules at once against the rules one by one."""

from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.cleaning import gopher
from llm_course.data.cleaning.five_rules import broken_rules

WORDS = [
    "the",
    "of",
    "and,",
    "city",
    "a",
    "#",
    "...",
    "…",
    "12",
    "(that)",
    "Having",
    "internationally",
]
RULES = {
    "number of words": gopher.number_of_words,
    "word length": gopher.mean_word_length,
    "symbols": gopher.symbol_to_word_ratio,
    "letters": gopher.alphabetic_words,
    "function words": gopher.function_words,
}


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=120))
def test_each_rule_judges_as_it_does_alone(words):
    text = " ".join(words)
    assert broken_rules(text) == [name for name, rule in RULES.items() if rule(text)]


@given(st.text())
def test_any_text_gets_known_names_in_order(text):
    found = broken_rules(text)
    assert found == [name for name in RULES if name in found]


def test_an_empty_text_has_no_mean_word_length():
    assert broken_rules("") == ["number of words", "function words"]
