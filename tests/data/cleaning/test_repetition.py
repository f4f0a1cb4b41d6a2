"""Repetition: every share against a slow count that marks single characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.cleaning.gopher import full_lines
from llm_course.data.cleaning.repetition import (
    GOPHER_REPETITION,
    REPEATED_NGRAM_LIMITS,
    TOP_NGRAM_LIMITS,
    paragraphs,
    repeated_characters,
    repeated_ngram_characters,
    repeated_share,
    top_ngram_characters,
)
from llm_course.data.cleaning.rules import violations

WORDS = st.lists(st.sampled_from(["a", "bb", "ccc", "dddd"]), max_size=30)


def marked(words, is_inside):
    """The share of characters, from a string with one mark for each character."""
    marks = "".join(("x" if is_inside(i) else ".") * len(word) for i, word in enumerate(words))
    return marks.count("x") / len(marks) if marks else 0.0


@given(WORDS, st.integers(1, 6))
def test_repeated_ngrams_against_a_slow_count(words, n):
    def came_before(start):
        gram = words[start : start + n]
        return len(gram) == n and any(words[i : i + n] == gram for i in range(start))

    def is_inside(index):
        return any(came_before(start) for start in range(max(0, index - n + 1), index + 1))

    found = repeated_ngram_characters(" ".join(words), n)
    assert found == pytest.approx(marked(words, is_inside), abs=1e-12)


@given(WORDS, st.integers(1, 4))
def test_top_ngram_against_a_slow_count(words, n):
    starts = range(len(words) - n + 1)
    counts = [sum(words[i : i + n] == words[j : j + n] for j in starts) for i in starts]
    if max(counts, default=0) < 2:
        assert top_ngram_characters(" ".join(words), n) == 0.0
        return
    most = [i for i in starts if counts[i] == max(counts)]
    longest = max(len("".join(words[i : i + n])) for i in most)
    shares = []
    for i in most:
        same = [j for j in most if words[j : j + n] == words[i : i + n]]
        if len("".join(words[i : i + n])) == longest:
            shares.append(marked(words, lambda k, same=same: any(j <= k < j + n for j in same)))
    found = top_ngram_characters(" ".join(words), n)
    assert any(found == pytest.approx(share, abs=1e-12) for share in shares)


@given(st.lists(st.sampled_from(["a", "bbb", "cc"])))
def test_repeated_items_against_a_slow_count(items):
    again = [item for index, item in enumerate(items) if item in items[:index]]
    assert repeated_share(items) == pytest.approx(len(again) / max(1, len(items)))
    n_characters = max(1, len("".join(items)))
    assert repeated_characters(items) == pytest.approx(len("".join(again)) / n_characters)


def test_the_papers_table_has_thirteen_rules():
    assert len(GOPHER_REPETITION) == 13
    assert TOP_NGRAM_LIMITS == {2: 0.20, 3: 0.18, 4: 0.16}
    assert list(REPEATED_NGRAM_LIMITS) == [5, 6, 7, 8, 9, 10]


def test_each_rule_catches_its_kind_of_repetition():
    different = " ".join(f"word{i}" for i in range(100))
    assert violations(different, GOPHER_REPETITION) == {}
    menu = "\n".join(["Home page"] * 5 + [f"{i} other" for i in range(5)])
    assert "repeated lines" in violations(menu, GOPHER_REPETITION)
    blocks = "\n\n".join(["one\ntwo", "one\ntwo", "three"])
    assert "repeated paragraphs" in violations(blocks, GOPHER_REPETITION)
    long_line = "a very long line that comes again\n" * 2 + "\n".join("abcdefgh")
    assert "characters in repeated lines" in violations(long_line, GOPHER_REPETITION)
    assert "characters in repeated paragraphs" in violations(
        long_line.replace("\n", "\n\n"), GOPHER_REPETITION
    )
    quote = " ".join(f"w{i}" for i in range(12))
    twice = f"{quote} {different[:100]} {quote}"
    assert {f"repeated {n}-grams" for n in range(5, 11)} <= set(
        violations(twice, GOPHER_REPETITION)
    )
    often = " ".join(f"click here now please w{i}" for i in range(9))
    assert {f"most frequent {n}-gram" for n in (2, 3, 4)} <= set(
        violations(often, GOPHER_REPETITION)
    )


def test_empty_lines_separate_paragraphs_and_are_no_lines():
    assert paragraphs("a\n \t\nb\n\n\n\nc\n") == ["a", "b", "c"]
    assert full_lines("a\n\n  b \n") == ["a", "b"]
