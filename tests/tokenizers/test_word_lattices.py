"""The trainer's arrays against the lattice of one text at a time."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llm_course.tokenizers.lattice import (
    build_lattice,
    forward,
    n_best,
    piece_expectations,
    prefix_table,
    viterbi,
)
from llm_course.tokenizers.unigram_pruning import path_counts
from llm_course.tokenizers.unigram_training import maximise
from llm_course.tokenizers.word_lattices import best_paths, build_lattices, expected_counts


def as_arrays(words: list[str], pieces: list[str]):
    """The words' lattices and their starts, with a table that is filled by plain search."""
    text, number = "".join(words), {piece: i for i, piece in enumerate(pieces)}
    table = np.full((len(text), 16), -1)
    for place in range(len(text)):
        for length in range(1, 17):
            if place + length <= len(text):
                table[place, length - 1] = number.get(text[place : place + length], -1)
    lengths = np.array([len(word) for word in words])
    return build_lattices(np.cumsum(lengths) - lengths, lengths, table)


def case(words: list[str], extra: set[str], seed: int = 0):
    """Words with counts, and pieces with probabilities."""
    rng = np.random.default_rng(seed)
    pieces = sorted({*"".join(words), *extra})
    probability = rng.dirichlet(np.ones(len(pieces))) + 1e-9
    return as_arrays(words, pieces), pieces, probability, rng.integers(1, 9, len(words))


def one_by_one(words, pieces, probability):
    scores = dict(zip(pieces, np.log(probability).tolist(), strict=True))
    return [build_lattice(word, prefix_table(scores), -99.0) for word in words]


WORDS = st.lists(st.text("abc", min_size=1, max_size=40), min_size=1, max_size=8, unique=True)
EXTRA = st.sets(st.text("abc", min_size=2, max_size=16), max_size=10)


@settings(deadline=None, max_examples=60)
@given(WORDS, EXTRA)
def test_expected_counts_equal_the_plain_algorithm(words, extra):
    arrays, pieces, probability, counts = case(words, extra)
    found, likelihood = expected_counts(arrays, probability, counts[arrays.order])
    expected: Counter[str] = Counter()
    total = 0.0
    for lattice, count in zip(one_by_one(words, pieces, probability), counts, strict=True):
        total += count * forward(lattice)[-1]
        for piece, use in piece_expectations(lattice).items():
            expected[piece] += count * use
    assert likelihood == pytest.approx(total, rel=1e-10)
    assert found.tolist() == pytest.approx([expected[p] for p in pieces], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("length", [15, 16, 17, 32, 33, 48, 1_000])
def test_long_words_of_rare_pieces_neither_vanish_nor_overflow(length):
    # 1e-12 for each character: the product leaves float64 after 25 of them.
    words = ["ab" * length, "a" * length, "b"]
    pieces, probability = ["a", "b", "ab"], np.array([1e-12, 1e-12, 1e-23])
    counts = np.array([1, 2, 3])
    arrays = as_arrays(words, pieces)
    found, likelihood = expected_counts(arrays, probability, counts[arrays.order])
    # Each "ab" is one piece with probability 1e-23 / (1e-23 + 1e-24) = 10/11.
    exact = length * math.log(1.1e-23) + (2 * length + 3) * math.log(1e-12)
    assert likelihood == pytest.approx(exact, rel=1e-12)
    whole = length * 10 / 11
    halves = length - whole
    assert found == pytest.approx([halves + 2 * length, halves + 3, whole], rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(WORDS, EXTRA)
def test_best_paths_equal_viterbi(words, extra):
    arrays, pieces, probability, counts = case(words, extra)
    best, back = best_paths(arrays, np.log(probability))
    used: Counter[str] = Counter()
    for place, index in enumerate(arrays.order):
        lattice = one_by_one([words[index]], pieces, probability)[0]
        assert best[arrays.last[place]] == pytest.approx(n_best(lattice, 1)[0][1])
        used.update(viterbi(lattice) * int(counts[index]))
    found = path_counts(arrays, back, counts[arrays.order], len(pieces))
    assert found.tolist() == [used[piece] for piece in pieces]


@settings(deadline=None, max_examples=40)
@given(WORDS, EXTRA, st.integers(0, 99))
@example(["a"], set(), 0)
@example(["abc"], {"abc"}, 1)
def test_em_never_lowers_the_likelihood(words, extra, seed):
    arrays, _, probability, counts = case(words, extra, seed)
    probability = probability / probability.sum()
    history = []
    for _ in range(8):
        expected, likelihood = expected_counts(arrays, probability, counts[arrays.order])
        history.append(likelihood)
        # A piece that is hardly used keeps a tiny probability: float64 holds all paths.
        probability = np.exp(maximise(np.maximum(expected, 1e-10), digamma=False))
    # Near 0, where one piece is the whole word, the sum itself is rounded to 1e-15.
    assert all(b >= a - 1e-9 * abs(a) - 1e-13 for a, b in pairwise(history))


def test_the_check_notices_a_step_that_is_not_ems():
    # With few counts ψ takes probability away from all pieces.
    arrays, _, probability, counts = case(["ab", "ba"], set())
    expected, before = expected_counts(arrays, probability / probability.sum(), counts)
    assert expected_counts(arrays, np.exp(maximise(expected, digamma=False)), counts)[1] >= before
    assert expected_counts(arrays, np.exp(maximise(expected)), counts)[1] < before
