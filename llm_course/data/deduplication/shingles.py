"""Shingles: the set of short runs of words, or of characters, that stands for a text.

Two texts are near-duplicates when their sets overlap, as measured by Jaccard's similarity. Case
and the kind of white space do not matter. A text shorter than one shingle is one shingle; an
empty text has none.
"""

from typing import Literal

import numpy as np

from llm_course.data.hashing import Hashes, character_codes, run_hashes, word_hashes

Unit = Literal["words", "characters"]


def check_shingle(n: int, unit: str) -> None:
    """Raise ValueError unless this is a kind of shingle."""
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}. Fix: 5 is usual for words.")
    if unit not in ("words", "characters"):
        raise ValueError(f"unit: expected words or characters, got {unit!r}.")


def shingles(text: str, n: int = 5, unit: Unit = "words") -> Hashes:
    """The hashes of all runs of n words or characters, in order, repetitions included.

    Words suit languages that write spaces; characters suit every language and very short texts.

    Raises:
        ValueError: n is less than 1, or the unit is unknown.

    >>> len(shingles("Rome is a big old city", n=5))
    2
    >>> bool((shingles("A  b c", n=3) == shingles("a b C", n=3)).all())
    True
    """
    check_shingle(n, unit)
    words = text.casefold().split()
    values = word_hashes(words) if unit == "words" else character_codes(" ".join(words))
    return run_hashes(values, min(n, len(values))) if len(values) else values


def jaccard(first: Hashes, second: Hashes) -> float:
    """``J = |A ∩ B| / |A ∪ B|`` of two sets of shingles; 0 when both are empty.

    >>> a, b = shingles("a b c", n=1), shingles("b c d", n=1)
    >>> jaccard(a, b)  # {b, c} of {a, b, c, d}
    0.5
    """
    first, second = np.unique(first), np.unique(second)
    shared = len(np.intersect1d(first, second, assume_unique=True))
    union = len(first) + len(second) - shared
    return shared / union if union else 0.0
