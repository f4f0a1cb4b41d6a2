"""Numbers by their place: the same everywhere, uniform, and whole permutations."""

import hashlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.data.mixture.chance import permutation, uniform

RECORDED = [0.3919519225064205, 0.014711390486727871, 0.09492883656493867, 0.9359851371552673]
RECORDED_ORDER = [4, 3, 0, 5, 1, 2]


def test_the_numbers_are_those_of_philox_for_ever():
    # Recorded: another value would mean that old runs cannot be resumed.
    assert [uniform(0, "mixture", step) for step in (0, 1, 1023, 1024)] == RECORDED
    assert permutation(6, 0, "epoch").tolist() == RECORDED_ORDER


def test_a_block_continues_the_one_before():
    key = int.from_bytes(hashlib.sha256(b"3/s").digest()[:16], "little")
    whole = np.random.Philox(key=key).random_raw(3000) >> np.uint64(11)
    found = [uniform(3, "s", step) for step in range(3000)]
    assert found == (whole * 2.0**-53).tolist()


def test_they_are_uniform():
    numbers = np.array([uniform(1, "x", step) for step in range(40_000)])
    counts, _ = np.histogram(numbers, bins=20, range=(0, 1))
    # 99.99 % point of chi-square with 19 degrees of freedom.
    assert ((counts - 2000) ** 2 / 2000).sum() < 49.6
    skewed, _ = np.histogram(numbers**1.1, bins=20, range=(0, 1))
    assert ((skewed - 2000) ** 2 / 2000).sum() > 49.6, "the test cannot tell"


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(0, 5))
def test_a_permutation_has_every_number_once(n, seed):
    assert sorted(permutation(n, seed, "p").tolist()) == list(range(n))


def test_every_order_is_as_likely():
    counts = Counter(tuple(permutation(3, seed, "p").tolist()) for seed in range(6000))
    assert len(counts) == 6
    # 99.99 % point of chi-square with 5 degrees of freedom.
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 25.7


def test_streams_and_seeds_differ():
    draws = {uniform(seed, name, 0) for seed in range(5) for name in "abc"}
    assert len(draws) == 15


def test_there_is_nothing_before_the_first():
    with pytest.raises(ValueError, match="step: expected 0 or more, got -1"):
        uniform(0, "a", -1)
    with pytest.raises(ValueError, match="n: expected 0 or more, got -1"):
        permutation(-1, 0, "a")
