"""Hashes: equal to a slow computation with Python's whole numbers, stable, without collisions."""

from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.hashing import character_codes, mix, run_hashes, utf8, word_hashes

MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15


def slow_mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def slow_runs(values, n):
    runs = [values[start : start + n] for start in range(len(values) - n + 1)]
    powers = [GOLDEN ** (n - i) for i in range(n)]
    return [slow_mix(sum(v * p for v, p in zip(run, powers, strict=True)) & MASK) for run in runs]


def test_mix_gives_splitmix64s_published_stream():
    """Seed 1234567 of the reference implementation: state grows by GOLDEN, then is mixed."""
    states = [(1234567 + step * GOLDEN) & MASK for step in (1, 2, 3)]
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert mix(np.array(states, dtype=np.uint64)).tolist() == expected


@given(st.lists(st.integers(0, MASK), max_size=12), st.integers(1, 5))
def test_runs_against_whole_numbers(values, n):
    assert run_hashes(np.array(values, dtype=np.uint64), n).tolist() == slow_runs(values, n)


@given(st.text(st.characters()))
def test_any_text_has_codes_and_bytes(text):
    assert character_codes(text).tolist() == [ord(character) for character in text]
    assert utf8(text).decode("utf-8", "surrogatepass") == text


@given(st.lists(st.text(st.characters())))
def test_words_against_hashlib(words):
    digests = [blake2b(utf8(word), digest_size=8).digest() for word in words]
    assert word_hashes(words).tolist() == [int.from_bytes(digest, "little") for digest in digests]


def test_a_million_runs_do_not_collide():
    grid = np.arange(1000, dtype=np.uint64)
    pairs = np.stack([np.repeat(grid, 1000), np.tile(grid, 1000)], axis=1)
    assert len(np.unique(run_hashes(pairs.reshape(-1), 2)[::2])) == 1_000_000


def test_a_run_has_a_length():
    with pytest.raises(ValueError, match="n: expected at least 1, got 0"):
        run_hashes(np.zeros(3, dtype=np.uint64), 0)
