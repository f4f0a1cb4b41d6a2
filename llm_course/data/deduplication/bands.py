"""Locality-sensitive hashing: find similar signatures without comparing all pairs.

A signature of b·r numbers is cut into b bands of r rows. Two texts are candidates when one whole
band is equal. Each row is equal with probability J, so one band is with J^r, and at least one of b
bands with 1 − (1 − J^r)^b: a curve that rises steeply near (1/b)^(1/r).

Source:
    Leskovec, Rajaraman and Ullman 2020, *Mining of Massive Datasets*, section 3.4.
"""

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from llm_course.data.deduplication.minhash import EMPTY, Signatures
from llm_course.data.hashing import GOLDEN, Hashes, mix


def candidate_probability(
    jaccard: float | NDArray[np.float64], bands: int, rows: int
) -> float | NDArray[np.float64]:
    """1 − (1 − J^r)^b, the probability that two texts become candidates.

    >>> round(candidate_probability(0.8, bands=20, rows=5), 5)
    0.99964
    """
    return 1 - (1 - jaccard**rows) ** bands


def steepest(bands: int, rows: int) -> float:
    """About where the curve rises most steeply: (1/b)^(1/r).

    >>> round(steepest(20, 5), 2)
    0.55
    """
    return (1 / bands) ** (1 / rows)


def choose_bands(n_hashes: int, jaccard: float, recall: float) -> tuple[int, int] | None:
    """The (bands, rows) with the most rows that find pairs of this similarity with this recall.

    More rows mean fewer false candidates. None if no cut without remainder is good enough.

    >>> choose_bands(100, jaccard=0.8, recall=0.99)
    (20, 5)
    """
    for bands in range(1, n_hashes + 1):  # few bands first: they have the most rows
        rows, rest = divmod(n_hashes, bands)
        if not rest and candidate_probability(jaccard, bands, rows) >= recall:
            return bands, rows
    return None


def check_bands(bands: int, rows: int, n_hashes: int) -> None:
    """Raise ValueError unless the bands use up the signature."""
    if bands < 1 or rows < 1 or bands * rows != n_hashes:
        raise ValueError(
            f"bands, rows: expected bands · rows = n_hashes = {n_hashes}, got {bands} · {rows} = "
            f"{bands * rows}. Fix: n_hashes={max(1, bands * rows)}, or other bands."
        )


def band_keys(signatures: Signatures, bands: int, rows: int) -> Hashes:
    """One 64-bit key for each band of each signature; different bands have different keys.

    Shapes:
        signatures: (n, bands · rows); returns (n, bands).

    Raises:
        ValueError: bands · rows is not the length of the signatures.
    """
    check_bands(bands, rows, signatures.shape[-1])
    parts = rearrange(signatures, "n (b r) -> n b r", b=bands).astype(np.uint64)
    keys = np.arange(1, bands + 1, dtype=np.uint64) * GOLDEN + np.zeros_like(parts[:, :, 0])
    for row in range(rows):
        keys = mix(keys ^ parts[:, :, row]) + GOLDEN
    return keys


def candidate_pairs(signatures: Signatures, bands: int, rows: int) -> NDArray[np.int64]:
    """All pairs (i, j), i < j, that share a band, sorted; texts without shingles are in none.

    Shapes:
        signatures: (n, bands · rows); returns (pairs, 2).

    Raises:
        ValueError: bands · rows is not the length of the signatures.

    >>> candidate_pairs(np.uint32([[1, 2], [3, 4], [3, 5]]), bands=2, rows=1).tolist()
    [[1, 2]]
    """
    keys = band_keys(signatures, bands, rows)
    full = np.flatnonzero((signatures != EMPTY).any(axis=1))
    pairs: set[tuple[int, int]] = set()
    for band in range(bands):
        order = full[np.argsort(keys[full, band], kind="stable")]
        column = keys[order, band]
        groups = np.split(order, np.flatnonzero(column[1:] != column[:-1]) + 1)
        for group in groups:
            members = group.tolist()
            pairs.update((i, j) for at, i in enumerate(members) for j in members[at + 1 :])
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
