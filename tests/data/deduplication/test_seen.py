"""Keys seen: a set exactly; a Bloom filter never forgets, and errs as often as it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from llm_course.data.deduplication.seen import BloomFilter, HashSet

KEYS = st.lists(st.integers(0, 2**64 - 1), max_size=20)


def array(keys):
    return np.array(keys, dtype=np.uint64)


@given(KEYS, KEYS)
def test_a_hash_set_is_a_set(added, asked):
    seen = HashSet()
    seen.add(array(added))
    assert seen.contains(array(asked)).tolist() == [key in added for key in asked]
    assert HashSet(seen.keys()).contains(array(asked)).tolist() == [key in added for key in asked]


@given(KEYS)
def test_a_bloom_filter_never_forgets(keys):
    seen = BloomFilter(capacity=4, error=0.5)  # far too small, so that bits are shared
    seen.add(array(keys))
    assert seen.contains(array(keys)).all()


@pytest.mark.parametrize("error", [0.1, 0.01, 1e-3])
def test_it_errs_as_often_as_it_says(error):
    n = 20_000
    numbers = np.arange(2 * n, dtype=np.uint64)
    seen = BloomFilter(capacity=n, error=error)
    size = seen.bits.nbytes
    seen.add(numbers[:n])
    wrong = int(seen.contains(numbers[n:]).sum())
    assert seen.bits.nbytes == size == seen.n_bytes
    # Probes are whole numbers and so are bytes: the rate is the formula's, not exactly `error`.
    m, k = 8 * seen.n_bytes, seen.n_probes
    exact = (1 - np.exp(-k * n / m)) ** k
    assert abs(exact - error) < 0.1 * error
    assert binomtest(wrong, n, exact).pvalue > 1e-4
    assert binomtest(wrong, n, exact / 2).pvalue < 1e-2


def test_bits_go_on_where_they_left_off():
    first = BloomFilter(capacity=10, error=0.01)
    first.add(array([1, 2, 3]))
    assert BloomFilter(10, 0.01, bits=first.bits.copy()).contains(array([1, 2, 3])).all()
    with pytest.raises(ValueError, match="bits: expected 120 bytes of a filter of this capacity"):
        BloomFilter(100, 0.01, bits=first.bits)


@pytest.mark.parametrize(("capacity", "error"), [(0, 0.1), (10, 0.0), (10, 1.0)])
def test_wrong_settings(capacity, error):
    with pytest.raises(ValueError, match="expected capacity ≥ 1 and 0 < error < 1"):
        BloomFilter(capacity, error)
