"""Difficulty: a number for each document, and the order from easy to hard.

What makes a document hard is passed in as a scorer: a small model's loss, the share of rare words,
the level that a generator states. Only the simplest scorer is here: length.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

Scorer = Callable[[T], float]
"""How hard a document is: a larger number is harder."""


def by_difficulty(documents: Sequence[T], scorer: Callable[[T], float]) -> np.ndarray:
    """The indices of the documents from easy to hard; equal ones keep their order.

    Args:
        documents: what is to be ordered.
        scorer: how hard one is.

    Shapes:
        returns ``n``, int64.

    Raises:
        ValueError: a score is not a finite number.

    Source:
        Bengio et al. 2009, *Curriculum Learning*, section 3.

    >>> by_difficulty(["ccc", "a", "bb"], scorer=len).tolist()
    [1, 2, 0]
    """
    scores = np.array([float(scorer(document)) for document in documents])
    wrong = np.flatnonzero(~np.isfinite(scores))
    if len(wrong):
        raise ValueError(
            f"scorer: expected finite numbers, got {scores[wrong[0]]} for document {wrong[0]}."
        )
    return np.argsort(scores, kind="stable").astype(np.int64)


def by_length(documents: Sequence[Sequence[int]] | Sequence[str]) -> np.ndarray:
    """The indices of texts or of lists of ids from short to long.

    Shapes:
        returns ``n``, int64.

    >>> by_length([[1, 2, 3], [4], [5, 6]]).tolist()
    [1, 2, 0]
    """
    return by_difficulty(documents, len)


def ranks(order: np.ndarray) -> np.ndarray:
    """How far along an order each document comes: 0 for the easiest, up to 1 for the hardest.

    These are the difficulties that a pace is compared with: the share of documents that are
    easier, whatever the scale of the scorer.

    Shapes:
        order ``n``; returns ``n``, float64.

    >>> ranks(np.array([1, 2, 0])).tolist()
    [1.0, 0.0, 0.5]
    """
    places = np.empty(len(order))
    places[order] = np.arange(len(order)) / max(len(order) - 1, 1)
    return places
