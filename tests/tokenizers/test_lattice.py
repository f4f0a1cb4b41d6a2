"""The lattice of one text against the list of all its segmentations."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llm_course.tokenizers.lattice import (
    Lattice,
    backward,
    build_lattice,
    forward,
    n_best,
    piece_expectations,
    prefix_table,
    sample,
    viterbi,
)

UNKNOWN = -12.0
PIECES = st.dictionaries(
    st.text("abc", min_size=1, max_size=4), st.floats(-8, -0.1), min_size=1, max_size=12
)
SCORES = {"a": -1.0, "b": -1.3, "c": -2.0, "ab": -1.8, "bc": -2.2, "abc": -2.5, "ca": -2.1}


def segmentations(text: str, scores: dict[str, float]) -> list[tuple[tuple[str, ...], float]]:
    """All of them with their scores, by trying every set of cuts."""
    found = []
    for cuts in range(2 ** max(len(text) - 1, 0)):
        places = [0, *(i + 1 for i in range(len(text) - 1) if cuts >> i & 1), len(text)]
        pieces = tuple(text[a:b] for a, b in pairwise(places)) if text else ()
        if all(piece in scores or len(piece) == 1 for piece in pieces):
            found.append((pieces, sum(scores.get(piece, UNKNOWN) for piece in pieces)))
    return found


def lattice_of(text: str, scores: dict[str, float]) -> Lattice:
    return build_lattice(text, prefix_table(scores), UNKNOWN)


@settings(deadline=None)
@given(st.text("abcd", max_size=9), PIECES)
def test_forward_and_backward_sum_all_segmentations(text, scores):
    every = [score for _, score in segmentations(text, scores)]
    total = math.log(math.fsum(map(math.exp, every)))
    lattice = lattice_of(text, scores)
    assert forward(lattice)[-1] == pytest.approx(total, abs=1e-10)
    assert backward(lattice)[0] == pytest.approx(total, abs=1e-10)


@settings(deadline=None)
@given(st.text("abcd", max_size=9), PIECES)
def test_expectations_average_all_segmentations(text, scores):
    every = segmentations(text, scores)
    total = math.fsum(math.exp(score) for _, score in every)
    expected: Counter[str] = Counter()
    for pieces, score in every:
        for piece in pieces:
            expected[piece] += math.exp(score) / total
    found = piece_expectations(lattice_of(text, scores))
    assert found == pytest.approx(dict(expected), abs=1e-10)
    assert sum(len(piece) * use for piece, use in found.items()) == pytest.approx(len(text))


@settings(deadline=None)
@given(st.text("abcd", max_size=9), PIECES, st.integers(1, 40))
def test_n_best_are_the_first_of_all(text, scores, n):
    every = sorted((score for _, score in segmentations(text, scores)), reverse=True)
    found = n_best(lattice_of(text, scores), n)
    assert [score for _, score in found] == pytest.approx(every[:n], abs=1e-9)
    assert len({tuple(pieces) for pieces, _ in found}) == len(found) == min(n, len(every))
    for pieces, score in found:
        assert "".join(pieces) == text
        assert score == pytest.approx(sum(scores.get(p, UNKNOWN) for p in pieces), abs=1e-9)


@settings(deadline=None)
@given(st.text("abcd", max_size=9), PIECES)
def test_viterbi_is_the_best_of_all(text, scores):
    pieces = viterbi(lattice_of(text, scores))
    best = max(score for _, score in segmentations(text, scores))
    assert "".join(pieces) == text
    assert sum(scores.get(piece, UNKNOWN) for piece in pieces) == pytest.approx(best, abs=1e-9)


def test_of_equal_paths_the_last_piece_begins_first():
    assert viterbi(lattice_of("aaa", {"a": -1.0, "aa": -2.0})) == ["a", "aa"]


def test_the_empty_text():
    lattice = lattice_of("", SCORES)
    assert viterbi(lattice) == []
    assert forward(lattice) == backward(lattice) == [0.0]
    assert n_best(lattice, 3) == [([], 0.0)]
    assert sample(lattice, torch.Generator()) == []


def p_value(counts: Counter, probability: dict[tuple[str, ...], float], n: int) -> float:
    """Of a chi-square test; cells that expect fewer than 5 are pooled."""
    expected = {key: n * p for key, p in probability.items()}
    large = [key for key, value in expected.items() if value >= 5]
    observed = [counts[key] for key in large]
    wanted = [expected[key] for key in large]
    if sum(wanted) < n - 1e-6:
        observed, wanted = [*observed, n - sum(observed)], [*wanted, n - sum(wanted)]
    return stats.chisquare(observed, np.array(wanted) * (n / sum(wanted))).pvalue


@pytest.mark.parametrize("alpha", [1.0, 0.3, 0.0])
def test_samples_follow_the_exact_probabilities(alpha):
    text, n = "abcabcab", 8_000
    every = {pieces: math.exp(alpha * score) for pieces, score in segmentations(text, SCORES)}
    probability = {pieces: p / sum(every.values()) for pieces, p in every.items()}
    lattice, generator = lattice_of(text, SCORES), torch.Generator().manual_seed(0)
    counts = Counter(tuple(sample(lattice, generator, alpha)) for _ in range(n))
    assert set(counts) <= set(probability)
    assert p_value(counts, probability, n) > 1e-4
    # A wrong sampler, which takes each next piece by its own probability, is told apart.
    rng = np.random.default_rng(0)
    wrong = Counter(tuple(piece_by_piece(lattice, rng, alpha)) for _ in range(n))
    assert p_value(wrong, probability, n) < 1e-4


def piece_by_piece(lattice: Lattice, rng: np.random.Generator, alpha: float) -> list[str]:
    cuts = [0]
    while cuts[-1] < len(lattice.text):
        ends, scores = zip(*lattice.leaving[cuts[-1]], strict=True)
        weights = np.exp(alpha * np.array(scores))
        cuts.append(int(rng.choice(ends, p=weights / weights.sum())))
    return [lattice.text[a:b] for a, b in pairwise(cuts)]
