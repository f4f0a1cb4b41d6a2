"""What a stream of hashes has shown so far: exactly, or in a memory that does not grow.

``HashSet`` keeps every key. ``BloomFilter`` keeps a fixed number of bits: it never forgets a key,
and takes a new key for a known one with a small, chosen probability.

Source:
    Bloom 1970, *Space/Time Trade-offs in Hash Coding with Allowable Errors*; two hashes in place
    of k: Kirsch and Mitzenmacher 2006, *Less Hashing, Same Performance*.
"""

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from llm_course.data.hashing import GOLDEN, Hashes, mix

Flags = NDArray[np.bool_]


class Seen(Protocol):
    """A set of 64-bit keys that is asked and added to."""

    def contains(self, keys: Hashes) -> Flags:
        """Whether each key was added before."""

    def add(self, keys: Hashes) -> None:
        """Remember these keys."""


class HashSet:
    """Every key, exactly; about 60 bytes each.

    >>> seen = HashSet()
    >>> seen.add(np.uint64([1, 2]))
    >>> seen.contains(np.uint64([2, 3])).tolist(), seen.keys().tolist()
    ([True, False], [1, 2])
    """

    def __init__(self, keys: Hashes | None = None) -> None:
        self._keys: set[int] = set() if keys is None else set(keys.tolist())

    def contains(self, keys: Hashes) -> Flags:
        """Whether each key was added before."""
        return np.array([key in self._keys for key in keys.tolist()], dtype=bool)

    def add(self, keys: Hashes) -> None:
        """Remember these keys."""
        self._keys.update(keys.tolist())

    def keys(self) -> Hashes:
        """All keys in order, to be stored; ``HashSet(keys)`` goes on from there."""
        return np.array(sorted(self._keys), dtype=np.uint64)


class BloomFilter:
    """A fixed number of bits, of which each key sets k.

    After ``capacity`` different keys, a new key is taken for a known one with the probability
    (1 − e^(−k·n/m))^k, which is least for k = (m/n)·ln 2: then m = −n·ln p / (ln 2)².

    Args:
        capacity: how many different keys are expected, n.
        error: the probability p of taking a new key for a known one, once it is full.
        bits: where an earlier filter of the same numbers left off.

    Raises:
        ValueError: a number is out of its range, or the bits are of another filter.

    >>> seen = BloomFilter(capacity=1000, error=0.01)
    >>> seen.n_bytes, seen.n_probes  # 9.6 bits a key
    (1199, 7)
    >>> seen.add(np.uint64([1, 2]))
    >>> seen.contains(np.uint64([2, 3])).tolist()
    [True, False]
    """

    def __init__(self, capacity: int, error: float, bits: NDArray[np.uint8] | None = None) -> None:
        if capacity < 1 or not 0 < error < 1:
            raise ValueError(
                f"capacity, error: expected capacity ≥ 1 and 0 < error < 1, "
                f"got {capacity} and {error}."
            )
        n_bits = math.ceil(-capacity * math.log(error) / math.log(2) ** 2)
        self.n_probes = max(1, round(n_bits / capacity * math.log(2)))
        self.n_bytes = -(-n_bits // 8)
        self.bits = np.zeros(self.n_bytes, dtype=np.uint8) if bits is None else bits
        if self.bits.shape != (self.n_bytes,) or self.bits.dtype != np.uint8:
            raise ValueError(
                f"bits: expected {self.n_bytes} bytes of a filter of this capacity and error, "
                f"got {self.bits.dtype} of shape {self.bits.shape}."
            )

    def _probes(self, keys: Hashes) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """The byte and the bit in it for each probe of each key: h₁ + i·h₂ mod m.

        Shapes:
            keys: (n,); returns (n, k) and (n, k).
        """
        first, step = mix(keys), mix(keys + GOLDEN) | np.uint64(1)
        i = np.arange(self.n_probes, dtype=np.uint64)
        place = mix(first[:, None] + i * step[:, None]) % np.uint64(8 * self.n_bytes)
        bit = np.uint8(1) << (place & np.uint64(7)).astype(np.uint8)
        return (place >> np.uint64(3)).astype(np.int64), bit

    def contains(self, keys: Hashes) -> Flags:
        """Whether each key was added before; True for a new key with a small probability."""
        byte, bit = self._probes(keys)
        return ((self.bits[byte] & bit) != 0).all(axis=1)

    def add(self, keys: Hashes) -> None:
        """Remember these keys."""
        byte, bit = self._probes(keys)
        np.bitwise_or.at(self.bits, byte, bit)
