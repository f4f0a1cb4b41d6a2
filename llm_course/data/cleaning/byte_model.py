"""A small language model over bytes, to score text where no large one is at hand.

Counts of up to n bytes, interpolated: P_n(x | context) = (count(context x) + m · P_{n−1}(x)) /
(count(context) + m), down to P_0 = 1/256. The m imagined observations keep every probability
above 0, so any text has a perplexity; more context takes over where it has been seen often.

Source:
    MacKay and Peto 1995, *A hierarchical Dirichlet language model*, equation 20, with one m for
    all orders.
"""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from llm_course.data.hashing import utf8

LONGEST = 7  # one run of this length and its order fit in 64 bits
Keys = NDArray[np.uint64]


def _runs(text: str, n: int, longest: int) -> Keys:
    """For each byte of the text, it and the n − 1 before, as one number; zeros before the first."""
    data = np.frombuffer(bytes(longest) + utf8(text), dtype=np.uint8).astype(np.uint64)
    count = len(data) - longest
    total = np.zeros(count, dtype=np.uint64)
    for back in range(n):
        total |= data[longest - back : longest - back + count] << np.uint64(8 * back)
    return total


def _looked_up(keys: Keys, counts: NDArray[np.int64], asked: Keys) -> NDArray[np.int64]:
    """The count of each key that is asked for, 0 if it was never seen."""
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[place] == asked, counts[place], 0)


class ByteModel:
    """An n-gram model of bytes.

    Args:
        texts: what it learns from.
        order: the number of bytes that it counts together, n.
        strength: the number m of imagined observations.

    Raises:
        ValueError: there is no text, or a number is out of its range.

    >>> model = ByteModel(["the cat sat on the mat"] * 9, order=4)
    >>> model.perplexity("the cat") < model.perplexity("tca eht") < 300
    True
    """

    def __init__(self, texts: Iterable[str], order: int = 6, strength: float = 4.0) -> None:
        if not 1 <= order <= LONGEST or strength <= 0:
            raise ValueError(
                f"order, strength: expected 1 ≤ order ≤ {LONGEST} and strength > 0, "
                f"got {order} and {strength}."
            )
        found = [text for text in texts if text]
        if not found:
            raise ValueError("texts: expected some text to learn from, got none.")
        self.order, self.strength = order, strength
        self._runs: list[tuple[Keys, NDArray[np.int64]]] = []
        self._contexts: list[tuple[Keys, NDArray[np.int64]]] = []
        for n in range(1, order + 1):
            keys, counts = np.unique(
                np.concatenate([_runs(text, n, order) for text in found]), return_counts=True
            )
            self._runs.append((keys, counts))
            # The runs are sorted, so those of one context are neighbours.
            contexts, starts = np.unique(keys >> np.uint64(8), return_index=True)
            self._contexts.append((contexts, np.add.reduceat(counts, starts)))

    def log_probabilities(self, text: str) -> NDArray[np.float64]:
        """log P of each byte of the text, given those before it, in nats.

        Shapes:
            returns (UTF-8 bytes of the text,).
        """
        asked = [_runs(text, n, self.order) for n in range(1, self.order + 1)]
        p = np.full(len(asked[0]), 1 / 256)
        for runs, table, contexts in zip(asked, self._runs, self._contexts, strict=True):
            count = _looked_up(*table, runs)
            total = _looked_up(*contexts, runs >> np.uint64(8))
            p = (count + self.strength * p) / (total + self.strength)
        return np.log(p)

    def perplexity(self, text: str) -> float:
        """exp(−mean log P of a byte); infinite for an empty text, of which nothing is known."""
        return math.exp(-self.log_probabilities(text).mean()) if text else math.inf
