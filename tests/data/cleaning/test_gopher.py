"""Gopher's quality rules: each threshold from both sides, and ordinary prose passes."""

import pytest

from llm_course.data.cleaning.gopher import GOPHER_QUALITY
from llm_course.data.cleaning.rules import violations

SENTENCE = "The river that runs to the north of Rome is wide and deep with clear water. "
PROSE = SENTENCE * 4  # 60 words


def test_prose_breaks_no_rule():
    assert violations(PROSE, GOPHER_QUALITY) == {}


@pytest.mark.parametrize(
    ("rule", "allowed", "broken"),
    [
        ("number of words", "word " * 50, "word " * 49),
        ("number of words", "word " * 100_000, "word " * 100_001),
        ("mean word length", "abc " * 60, "ab " * 60),
        ("mean word length", "abcdefghij " * 60, "abcdefghijk " * 60),
        ("symbols to words", "word " * 9 + "#tag", "word " * 9 + "##tag"),
        ("symbols to words", "word " * 9 + "so…", "word... " + "word " * 8 + "so…"),
        ("bullet lines", "- a\n" * 9 + "b", "- a\n" * 10 + "• b"),
        ("lines cut short", "a...\n" * 3 + "b\n" * 7, "a…\n" * 4 + "b\n" * 6),
        ("words without letters", "12 ab ab ab é1", "12 34 ab ab ab"),
        ("function words", "The end of", "The the, THE"),
    ],
)
def test_each_threshold_from_both_sides(rule, allowed, broken):
    assert GOPHER_QUALITY[rule](allowed) is None
    assert GOPHER_QUALITY[rule](broken) is not None


@pytest.mark.parametrize("rule", ["symbols to words", "bullet lines", "lines cut short"])
def test_a_rule_on_shares_has_nothing_against_an_empty_text(rule):
    assert GOPHER_QUALITY[rule](" \n ") is None


def test_an_empty_text_has_too_few_words():
    assert violations("", GOPHER_QUALITY)["number of words"] == "words 0, expected 50 to 100000"
