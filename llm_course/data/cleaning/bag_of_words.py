"""Texts as bags of hashed words: the input of a linear classifier.

A word, or a pair of neighbours, is the number of its bucket; what comes first is forgotten. The
counts of a text are scaled to Euclidean length 1, so that long and short texts weigh the same.

Source:
    Weinberger et al. 2009, *Feature Hashing for Large Scale Multitask Learning*
    (arXiv:0902.2206), without the random signs; pairs of words as in Joulin et al. 2016, *Bag of
    Tricks for Efficient Text Classification* (arXiv:1607.01759), section 2.2.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_course.data.hashing import run_hashes, word_hashes

# A run of letters and digits, or one other mark: punctuation is telling.
TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Bags:
    """Sparse rows: row i holds ``buckets`` and ``weights`` from ``starts[i]`` to ``starts[i+1]``.

    Shapes:
        buckets: (entries,); weights: (entries,); starts: (texts + 1,).
    """

    buckets: NDArray[np.int64]
    weights: NDArray[np.float64]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def rows(self, chosen: Sequence[int] | NDArray[np.int64]) -> "Bags":
        """The bags of these texts, in this order."""
        spans = [np.arange(self.starts[i], self.starts[i + 1]) for i in chosen]
        places = np.concatenate([*spans, np.zeros(0, dtype=np.int64)])
        starts = np.cumsum([0, *(len(span) for span in spans)])
        return Bags(self.buckets[places], self.weights[places], starts)


def bags_of_words(texts: Sequence[str], n_buckets: int, *, pairs: bool = True) -> Bags:
    """The bag of each text.

    Args:
        texts: any strings; a text without words has an empty bag.
        n_buckets: how many buckets the words are hashed into.
        pairs: whether neighbours count as features too.

    Raises:
        ValueError: there is no bucket.

    >>> bags = bags_of_words(["to be or not to be"], n_buckets=1 << 20, pairs=False)
    >>> sorted(np.round(bags.weights**2, 2).tolist())  # 1, 1, 4, 4 of 10
    [0.1, 0.1, 0.4, 0.4]
    """
    if n_buckets < 1:
        raise ValueError(f"n_buckets: expected at least 1, got {n_buckets}.")
    buckets, weights, starts = [np.zeros(0, np.int64)], [np.zeros(0)], [0]
    for text in texts:
        words = word_hashes(TOKEN.findall(text.casefold()))
        features = np.concatenate([words, run_hashes(words, 2)]) if pairs else words
        found, counts = np.unique(features % np.uint64(n_buckets), return_counts=True)
        buckets.append(found.astype(np.int64))
        weights.append(counts / max(1.0, float(np.linalg.norm(counts))))
        starts.append(starts[-1] + len(found))
    return Bags(np.concatenate(buckets), np.concatenate(weights), np.array(starts))
