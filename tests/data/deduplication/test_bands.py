"""Bands: candidates against all pairs compared one by one, and the curve 1 − (1 − J^r)^b."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from llm_course.data.deduplication.bands import (
    band_keys,
    candidate_pairs,
    candidate_probability,
    choose_bands,
    steepest,
)
from llm_course.data.deduplication.minhash import EMPTY, hash_functions, signatures

ALPHA = 1e-4
N_PAIRS = 1000


def pairs_at(shared, size, seed):
    """The signatures of N_PAIRS pairs of sets with J = shared / size exactly."""
    rng = np.random.default_rng(seed)
    items = rng.integers(0, 2**64, size=(N_PAIRS, size), dtype=np.uint64)
    cut = shared + (size - shared) // 2
    sets = [half for row in items for half in (row[:cut], np.delete(row, slice(shared, cut)))]
    found = signatures(sets, *hash_functions(100, seed=seed))
    return found[0::2], found[1::2]


@pytest.mark.parametrize("tenths", range(1, 10))
@pytest.mark.parametrize(("bands", "rows"), [(20, 5), (10, 10), (50, 2)])
def test_recall_follows_the_curve(bands, rows, tenths):
    first, second = pairs_at(5 * tenths, 50, seed=tenths)
    same = band_keys(first, bands, rows) == band_keys(second, bands, rows)
    found = int(same.any(axis=1).sum())
    right = candidate_probability(tenths / 10, bands, rows)
    assert binomtest(found, N_PAIRS, right).pvalue > ALPHA
    # The curve with bands and rows exchanged is another one, and is rejected where it differs.
    wrong = candidate_probability(tenths / 10, rows, bands)
    if abs(right - wrong) > 0.1:
        assert binomtest(found, N_PAIRS, wrong).pvalue < ALPHA


@given(
    st.lists(st.lists(st.integers(0, 2), min_size=6, max_size=6), max_size=12),
    st.sampled_from([(1, 6), (2, 3), (3, 2), (6, 1)]),
)
def test_candidates_against_all_pairs(numbers, shape):
    bands, rows = shape
    found = np.array(numbers, dtype=np.uint32).reshape(-1, 6)
    expected = [
        [i, j]
        for i in range(len(numbers))
        for j in range(i + 1, len(numbers))
        if any(
            numbers[i][start : start + rows] == numbers[j][start : start + rows]
            for start in range(0, 6, rows)
        )
    ]
    assert candidate_pairs(found, bands, rows).tolist() == expected


def test_the_same_rows_in_another_band_are_another_key():
    keys = band_keys(np.uint32([[7, 8, 7, 8]]), bands=2, rows=2)
    assert keys[0, 0] != keys[0, 1]


def test_texts_without_shingles_are_no_candidates():
    assert len(candidate_pairs(np.full((3, 4), EMPTY), bands=2, rows=2)) == 0


@pytest.mark.parametrize(("bands", "rows"), [(20, 6), (0, 5), (10, 5), (-20, -5)])
def test_bands_use_up_the_signature(bands, rows):
    with pytest.raises(ValueError, match=r"expected bands · rows = n_hashes = 100, got .* Fix: "):
        band_keys(np.zeros((1, 100), dtype=np.uint32), bands, rows)


def test_the_curve_by_hand_and_where_it_rises():
    assert candidate_probability(0.5, bands=2, rows=1) == 0.75
    assert candidate_probability(0.8, bands=20, rows=5) > 0.99
    j = np.linspace(0, 1, 1001)
    rise = np.diff(candidate_probability(j, 20, 5))
    assert abs(j[rise.argmax()] - steepest(20, 5)) < 0.05


def test_chosen_bands_against_all_cuts():
    for k in (1, 12, 60, 97):
        for jaccard in (0.3, 0.6, 0.9):
            for recall in (0.05, 0.5, 0.99):
                cuts = [(k // r, r) for r in range(1, k + 1) if k % r == 0]
                fit = [c for c in cuts if candidate_probability(jaccard, *c) >= recall]
                expected = max(fit, key=lambda cut: cut[1]) if fit else None
                assert choose_bands(k, jaccard, recall) == expected
