"""MinHash: a few numbers from which the Jaccard similarity of two large sets can be estimated.

A random order of all shingles makes each shingle of A ∪ B its first with equal probability. Both
sets have the same first shingle exactly when that one lies in A ∩ B, so P(minima equal) = J(A, B).
A signature holds the minima under k random orders; the share of equal minima estimates J.

Source:
    Broder 1997, *On the resemblance and containment of documents*; the hash functions are those
    of Thorup 2015, *High Speed Hashing for Integers and Strings* (arXiv:1504.06804), section 3.3.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_course.data.deduplication.shingles import Unit, check_shingle, shingles
from llm_course.data.hashing import Hashes, mix

Signatures = NDArray[np.uint32]
# The minimum of nothing: the signature of a text without shingles.
EMPTY = np.uint32(0xFFFFFFFF)
# Shingles that are hashed at once: their 0.5 MB stays in the cache of a core.
BLOCK = 1 << 16


@dataclass(frozen=True, kw_only=True)
class MinHash:
    """How texts become signatures. The same settings give the same signatures everywhere.

    Args:
        n_hashes: the length of a signature, k.
        n: words or characters in a shingle.
        unit: of a shingle.
        seed: of the random orders.

    Raises:
        ValueError: a number is out of its range.

    >>> hasher = MinHash(n_hashes=100)
    >>> same = hasher.signatures(["Rome is a big old city.", "Rome  is a big OLD city."])
    >>> float(similarity(same[0], same[1]))
    1.0
    """

    n_hashes: int = 100
    n: int = 5
    unit: Unit = "words"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_hashes < 1:
            raise ValueError(f"n_hashes: expected at least 1, got {self.n_hashes}.")
        check_shingle(self.n, self.unit)

    def signatures(self, texts: Sequence[str]) -> Signatures:
        """One signature a text.

        Shapes:
            returns (len(texts), n_hashes).
        """
        sets = [shingles(text, self.n, self.unit) for text in texts]
        return signatures(sets, *hash_functions(self.n_hashes, self.seed))


def hash_functions(n_hashes: int, seed: int) -> tuple[Hashes, Hashes]:
    """The numbers a and b of n_hashes random functions h(x) = (a·x + b mod 2⁶⁴) >> 32.

    Shapes:
        returns (n_hashes,) and (n_hashes,).
    """
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 2**64, size=(2, n_hashes), dtype=np.uint64)
    return a, b


def signatures(sets: Sequence[Hashes], a: Hashes, b: Hashes) -> Signatures:
    """The minimum of each hash function over each set.

    Shapes:
        a, b: (k,); returns (len(sets), k).
    """
    result = np.full((len(sets), len(a)), EMPTY)
    full = [index for index, one in enumerate(sets) if len(one)]
    for block in _blocks(sets, full):
        lengths = [len(sets[index]) for index in block]
        starts = np.cumsum([0, *lengths[:-1]])
        # 32 mixed bits of each shingle: two of these are independent under h.
        x = mix(np.concatenate([sets[index] for index in block])) >> np.uint64(32)
        for i in range(len(a)):
            h = (a[i] * x + b[i]) >> np.uint64(32)
            result[block, i] = np.minimum.reduceat(h, starts)
    return result


def _blocks(sets: Sequence[Hashes], indices: Sequence[int]) -> list[list[int]]:
    """Neighbours grouped to about ``BLOCK`` shingles; a larger set is a group of its own."""
    blocks: list[list[int]] = []
    size = BLOCK
    for index in indices:
        if size + len(sets[index]) > BLOCK:
            blocks.append([])
            size = 0
        blocks[-1].append(index)
        size += len(sets[index])
    return blocks


def similarity(first: Signatures, second: Signatures) -> NDArray[np.float64]:
    """The estimate of J: the share of equal minima. Texts without shingles resemble nothing.

    Shapes:
        first, second: (..., k), broadcast against each other; returns (...).

    >>> float(similarity(np.uint32([1, 2, 3, 4]), np.uint32([1, 2, 0, 0])))
    0.5
    """
    share = (first == second).mean(axis=-1)
    return np.where((first == EMPTY).all(axis=-1), 0.0, share)


def error_bound(n_hashes: int, failure: float) -> float:
    """The ε that the error of an estimate reaches with at most this probability: √(ln(2/δ) / 2k).

    Raises:
        ValueError: a number is out of its range.

    Source:
        Hoeffding 1963, *Probability inequalities for sums of bounded random variables*,
        theorem 2, for k independent indicators.

    >>> round(error_bound(100, 0.05), 3)
    0.136
    """
    if n_hashes < 1 or not 0 < failure < 1:
        raise ValueError(
            f"n_hashes, failure: expected n_hashes ≥ 1 and 0 < failure < 1, "
            f"got {n_hashes} and {failure}."
        )
    return math.sqrt(math.log(2 / failure) / (2 * n_hashes))
