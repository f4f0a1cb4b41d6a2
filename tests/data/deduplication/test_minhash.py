"""MinHash: minima against a slow loop, the estimate against the exact similarity of many pairs.

Statistical tests: fixed seeds, α = 1e-4, and a wrong estimator that each of them rejects.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.deduplication import minhash
from llm_course.data.deduplication.minhash import (
    EMPTY,
    MinHash,
    error_bound,
    hash_functions,
    signatures,
    similarity,
)
from llm_course.data.hashing import mix

MASK = 2**64 - 1
N_PAIRS, K, SIZE = 3000, 64, 60
Z = 3.89  # two-sided α = 1e-4


def pairs_of_sets(seed=0):
    """Random pairs of sets with SIZE shingles in the union, and their exact similarity."""
    rng = np.random.default_rng(seed)
    sets, exact = [], []
    for _ in range(N_PAIRS):
        items = rng.integers(0, 2**64, size=SIZE, dtype=np.uint64)
        shared = int(rng.integers(0, SIZE + 1))
        cut = shared + (SIZE - shared) // 2
        sets += [items[:cut], np.concatenate([items[:shared], items[cut:]])]
        exact.append(shared / SIZE)
    return sets, np.array(exact)


@pytest.fixture(scope="module")
def errors():
    """Estimate − J of every pair, and J; then the same for one hash function used K times."""
    sets, exact = pairs_of_sets()
    a, b = hash_functions(K, seed=1)

    def estimates(a, b):
        found = signatures(sets, a, b)
        return similarity(found[0::2], found[1::2])

    wrong = estimates(np.repeat(a[:1], K), np.repeat(b[:1], K))
    return estimates(a, b) - exact, wrong - exact, exact


@pytest.mark.parametrize("failure", [0.5, 0.2, 0.05, 0.01, 1e-3])
def test_failures_stay_inside_the_bound_of_hoeffding(errors, failure):
    right, wrong, _ = errors
    epsilon = error_bound(K, failure)
    # The count of failures may pass the bound by chance alone: Z standard deviations of it.
    limit = N_PAIRS * failure + Z * math.sqrt(N_PAIRS * failure * (1 - failure))
    assert (np.abs(right) >= epsilon).sum() <= limit
    assert (np.abs(wrong) >= epsilon).sum() > limit, "K copies of one hash are no K hashes"


def test_the_estimate_is_unbiased_and_has_the_variance_of_k_coins(errors):
    right, wrong, exact = errors
    variance = exact * (1 - exact) / K
    free = variance > 0
    assert np.all(right[~free] == 0), "equal and disjoint sets are told exactly"
    z = right[free] / np.sqrt(variance[free])
    n = free.sum()
    assert abs(z.sum()) / math.sqrt(n) < Z
    # A standardised binomial of 64 coins has a kurtosis near 3: Var(z²) ≈ 2.
    assert abs((z**2).mean() - 1) < Z * math.sqrt(2.2 / n)
    z_wrong = wrong[free] / np.sqrt(variance[free])
    assert abs((z_wrong**2).mean() - 1) > Z * math.sqrt(2.2 / n)


@given(st.lists(st.lists(st.integers(0, MASK), max_size=8), max_size=6), st.integers(1, 5))
def test_minima_against_a_slow_loop(sets, k):
    a, b = hash_functions(k, seed=3)
    arrays = [np.array(one, dtype=np.uint64) for one in sets]
    expected = []
    for one in arrays:
        x = [int(value) >> 32 for value in mix(one)]
        row = [min((((i * v + j) & MASK) >> 32 for v in x), default=int(EMPTY))
               for i, j in zip(a.tolist(), b.tolist(), strict=True)]  # fmt: skip
        expected.append(row)
    found = signatures(arrays, a, b)
    assert found.dtype == np.uint32 and found.shape == (len(sets), k)
    assert found.tolist() == expected


def test_blocks_change_nothing(monkeypatch):
    sets, _ = pairs_of_sets()
    functions = hash_functions(8, seed=0)
    whole = signatures(sets[:40], *functions)
    monkeypatch.setattr(minhash, "BLOCK", 50)  # less than one of the larger sets
    assert np.array_equal(signatures(sets[:40], *functions), whole)


@given(st.lists(st.text(st.characters()), max_size=4))
def test_any_text_has_a_signature_and_equals_itself(texts):
    hasher = MinHash(n_hashes=8)
    found = hasher.signatures(texts)
    assert found.shape == (len(texts), 8)
    assert similarity(found, found).tolist() == [float(bool(text.split())) for text in texts]


def test_a_seed_is_an_order_and_gives_the_same_everywhere():
    text = ["one two three four five six"]
    first, other = MinHash(seed=0).signatures(text), MinHash(seed=1).signatures(text)
    assert not np.array_equal(first, other)
    # Written down once: signatures may be stored, so they may not change.
    assert MinHash(n_hashes=2).signatures(text).tolist() == [STORED]


STORED = [650950611, 3103136786]


def test_the_bound_turned_round():
    epsilon = error_bound(128, 0.05)
    assert 2 * math.exp(-2 * 128 * epsilon**2) == pytest.approx(0.05)


@pytest.mark.parametrize("settings", [{"n_hashes": 0}, {"n": 0}, {"unit": "lines"}])
def test_wrong_settings(settings):
    with pytest.raises(ValueError, match="expected"):
        MinHash(**settings)


@pytest.mark.parametrize(("k", "failure"), [(0, 0.1), (10, 0.0), (10, 1.0)])
def test_a_bound_needs_hashes_and_a_probability(k, failure):
    with pytest.raises(ValueError, match="expected n_hashes ≥ 1 and 0 < failure < 1"):
        error_bound(k, failure)
