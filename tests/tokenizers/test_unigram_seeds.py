"""Seeds and their places against counting with loops."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.tokenizers.unigram_corpus import covered_characters, cut_stretches
from llm_course.tokenizers.unigram_seeds import find_seeds

WORDS = st.dictionaries(st.text("abcé", min_size=1, max_size=20), st.integers(1, 4), min_size=1)


def corpus_of(words: dict[str, int]):
    marked = Counter({"▁" + word: count for word, count in words.items()})
    return cut_stretches(marked, covered_characters(marked, 1.0))


def substrings(words: dict[str, int], longest: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for word, count in words.items():
        marked = "▁" + word
        for start in range(len(marked)):
            for end in range(start + 1, min(start + longest, len(marked)) + 1):
                found[marked[start:end]] += count
    return found


def slow_seeds(words: dict[str, int], longest: int) -> dict[str, float]:
    counts = substrings(words, longest)
    alphabet = {character for piece in counts for character in piece}
    return {
        piece: count * len(piece)
        for piece, count in counts.items()
        if len(piece) == 1
        or (count >= 2 and all(counts.get(piece + letter) != count for letter in alphabet))
    }


@settings(deadline=None)
@given(WORDS, st.sampled_from([3, 16]))
def test_seeds_equal_plain_counting(words, longest):
    corpus = corpus_of(words)
    seeds = find_seeds(corpus, max_length=longest)
    spans = zip(seeds.places.tolist(), seeds.lengths.tolist(), strict=True)
    pieces = [corpus.text[place : place + length] for place, length in spans]
    assert dict(zip(pieces, seeds.scores.tolist(), strict=True)) == slow_seeds(words, longest)
    assert all(len(piece) == 1 for piece in pieces[: seeds.n_characters])


@settings(deadline=None)
@given(WORDS)
def test_the_table_finds_each_seed_wherever_it_is(words):
    corpus = corpus_of(words)
    seeds = find_seeds(corpus)
    spans = zip(seeds.places.tolist(), seeds.lengths.tolist(), strict=True)
    number = {corpus.text[a : a + length]: i for i, (a, length) in enumerate(spans)}
    for start, length in zip(corpus.starts.tolist(), corpus.lengths.tolist(), strict=True):
        for place in range(start, start + length):
            for width in range(1, 17):
                inside = place + width <= start + length
                piece = corpus.text[place : place + width]
                expected = number.get(piece, -1) if inside else -1
                assert seeds.table[place, width - 1] == expected


def test_the_limit_keeps_the_largest_and_all_characters():
    words = {"abab": 5, "cab": 3}
    corpus = corpus_of(words)
    seeds = find_seeds(corpus, max_seeds=2)
    every = slow_seeds(words, 16)
    longer = sorted((score for piece, score in every.items() if len(piece) > 1), reverse=True)
    assert sorted(seeds.scores[seeds.n_characters :], reverse=True) == pytest.approx(longer[:2])
    assert seeds.n_characters == 4
