"""Merging the bytes of one word into tokens, by a list of merges or by the tokens alone.

A merge table answers ``get(pair)`` with ``(rank, merged)``: how early the pair merges and which
token it makes. That of a trained tokenizer is a dictionary. ``JoinRanks`` is tiktoken's, which
has no merges: there any two neighbours that join to a token may merge.
"""

import heapq
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol

Pair = tuple[int, int]
Merge = tuple[int, int]
"""``(rank, merged)``; low ranks merge first."""

_SHORT = 40
"""Up to this many bytes, looking at every pair again is faster than a heap."""

_NEVER: Merge = (1 << 62, -1)


class Ranks(Protocol):
    """Looks up what a pair of tokens merges to."""

    def get(self, pair: Pair, default: Any = None, /) -> Any:
        """``(rank, merged)``, or the default for a pair that does not merge."""
        ...


class JoinRanks:
    """Tiktoken's rule: two neighbours may merge if they join to a token; the lowest id is first.

    Args:
        bytes_of: the bytes of each token, special tokens left out.

    >>> ranks = JoinRanks({0: b"a", 1: b"b", 2: b"ab"})
    >>> ranks.get((0, 1)), ranks.get((1, 0))
    ((2, 2), None)
    """

    def __init__(self, bytes_of: Mapping[int, bytes]) -> None:
        self._bytes_of = bytes_of
        self._id_of = {data: token_id for token_id, data in bytes_of.items()}

    def get(self, pair: Pair, default: Any = None, /) -> Any:
        """The id of the joined token, as rank and as result."""
        merged = self._id_of.get(self._bytes_of[pair[0]] + self._bytes_of[pair[1]])
        return default if merged is None else (merged, merged)


def merge_word(ids: Sequence[int], ranks: Ranks) -> list[int]:
    """Apply the merges to one word: always the earliest learned one, the leftmost first.

    Args:
        ids: the ids of the word's bytes.
        ranks: the merges; a dictionary will do.

    Source:
        Sennrich et al. 2016, arXiv:1508.07909, section 3.2.

    >>> a, b, ab, aba = 0, 1, 2, 3
    >>> merge_word([a, b, a, b, a], {(a, b): (0, ab), (ab, a): (1, aba)})
    [2, 3]
    >>> merge_word([a, b, a, b, a], {(b, a): (0, 9), (a, 9): (1, aba)})
    [3, 9]
    """
    return merge_short(ids, ranks) if len(ids) <= _SHORT else merge_long(ids, ranks)


def merge_short(ids: Sequence[int], ranks: Ranks) -> list[int]:
    """``merge_word`` by looking at every pair for each merge: ``O(n²)``, with little else."""
    word = list(ids)
    merges = [ranks.get(pair, _NEVER) for pair in pairwise(word)]
    while (best := min(merges, default=_NEVER)) is not _NEVER:
        place = merges.index(best)
        word[place : place + 2] = (best[1],)
        del merges[place]
        if place:
            merges[place - 1] = ranks.get((word[place - 1], word[place]), _NEVER)
        if place < len(merges):
            merges[place] = ranks.get((word[place], word[place + 1]), _NEVER)
    return word


def merge_long(ids: Sequence[int], ranks: Ranks) -> list[int]:
    """``merge_word`` with a heap of the possible merges and a linked list: ``O(n log n)``."""
    end = len(ids)
    # One more place, which holds no id: the neighbour of the last (and, as -1, of the first).
    word: list[int | None] = [*ids, None]
    previous = list(range(-1, end))
    following = [*range(1, end + 1), end]
    possible = enumerate(ranks.get(pair) for pair in pairwise(ids))
    heap = [(merge[0], place) for place, merge in possible if merge is not None]
    heapq.heapify(heap)
    while heap:
        rank, place = heapq.heappop(heap)
        right = following[place]
        if word[place] is None or word[right] is None:
            continue
        found = ranks.get((word[place], word[right]))
        if found is None or found[0] != rank:
            continue  # One of the two has been merged with its other neighbour since.
        word[place], word[right] = found[1], None
        following[place] = following[right]
        previous[following[right]] = place
        for left in (previous[place], place):
            pair = word[left], word[following[left]]
            candidate = None if None in pair else ranks.get(pair)
            if candidate is not None:
                heapq.heappush(heap, (candidate[0], left))
    return [token for token in word if token is not None]
