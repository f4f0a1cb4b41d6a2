"""Hashes that are the same in every process: words, runs of words, runs of characters.

Python's ``hash`` of a string differs between processes, so it cannot number the buckets of a model
that is saved, or compare shards. All hashes here are 64-bit, computed on whole arrays at once.
"""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
# An odd number, 2^64 divided by the golden ratio: multiplying by it loses nothing modulo 2^64.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def utf8(text: str) -> bytes:
    """The UTF-8 bytes of any Python string, also of one with half a surrogate pair."""
    return text.encode("utf-8", "surrogatepass")


def mix(values: Hashes) -> Hashes:
    """Spread the information of 64 bits over all of them; different numbers stay different.

    Source:
        Steele, Lea and Flood 2014, *Fast Splittable Pseudorandom Number Generators*, figure 17
        (the finaliser of SplitMix64).

    >>> [hex(value) for value in mix(np.array([0, 1], dtype=np.uint64))]
    ['0x0', '0x5692161d100b05e5']
    """
    values = values ^ (values >> np.uint64(30))
    values = values * np.uint64(0xBF58476D1CE4E5B9)
    values = values ^ (values >> np.uint64(27))
    values = values * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def word_hashes(words: Sequence[str]) -> Hashes:
    """One hash a word: the first 8 bytes of its BLAKE2b digest.

    >>> word_hashes(["a", "b", "a"])[[0, 2]].tolist() == word_hashes(["a", "a"]).tolist()
    True
    """
    digests = b"".join([blake2b(utf8(word), digest_size=8).digest() for word in words])
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64, copy=False)


def character_codes(text: str) -> Hashes:
    """The code point of every character.

    >>> character_codes("aé").tolist()
    [97, 233]
    """
    data = text.encode("utf-32-le", "surrogatepass")
    return np.frombuffer(data, dtype="<u4").astype(np.uint64)


def run_hashes(values: Hashes, n: int) -> Hashes:
    """One hash for every run of n neighbours: mix(Σ_i values[t + i] · GOLDEN^(n − i)).

    Shapes:
        values: (t,); returns (max(0, t − n + 1),).

    Raises:
        ValueError: n is less than 1.

    >>> hashes = run_hashes(character_codes("abab"), 2)
    >>> len(hashes), bool(hashes[0] == hashes[2]), bool(hashes[0] == hashes[1])
    (3, True, False)
    """
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}.")
    count = max(0, len(values) - n + 1)
    total = np.zeros(count, dtype=np.uint64)
    for offset in range(n):
        total = (total + values[offset : offset + count]) * GOLDEN
    return mix(total)
