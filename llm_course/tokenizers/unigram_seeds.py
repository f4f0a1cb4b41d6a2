"""The first, far too large vocabulary of the Unigram trainer: frequent substrings.

Substrings are counted level by level: one of ``l`` characters can only be frequent if the two of
``l - 1`` characters inside it are, so each level looks at fewer places than the one before. The
result also says which seed begins at each place of the corpus, which is all that the lattices of
the expectation step need: no trie is built.
"""

from dataclasses import dataclass

import numpy as np

from llm_course.tokenizers.unigram_corpus import Stretches


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """The seed pieces and where they are.

    Shapes:
        ``places``, ``lengths``, ``scores``: ``(seeds,)``: where each first occurs in the corpus,
        its length and count × length. The single characters come first.
        ``table``: ``(characters of the corpus, max_length)`` int32: the seed of length ``l`` that
        begins at place ``i`` is ``table[i, l - 1]``, or -1 for none.
    """

    places: np.ndarray
    lengths: np.ndarray
    scores: np.ndarray
    table: np.ndarray
    n_characters: int


@dataclass(frozen=True, kw_only=True)
class _Level:
    """The substrings of one length that may be frequent.

    Shapes:
        ``at``, ``ids``: ``(occurrences,)``: where one begins, and its number.
        ``counts``, ``first``, ``parents``: ``(substrings,)``: how often it occurs, one of its
        places, and the number of what it is without its last character, in the level before.
    """

    at: np.ndarray
    ids: np.ndarray
    counts: np.ndarray
    first: np.ndarray
    parents: np.ndarray


def find_seeds(corpus: Stretches, max_length: int = 16, max_seeds: int = 1_000_000) -> Seeds:
    """All single characters, and the substrings with the largest count × length.

    A substring is left out if it occurs once, or if one character always follows it: the longer
    one says the same. SentencePiece's suffix array makes the same choice, but the space that
    follows is a character too: it has no seed for a word that a space always follows, which
    costs it likelihood where a text has few words.

    Args:
        corpus: the distinct stretches of text.
        max_length: the longest piece, in characters.
        max_seeds: how many substrings at most, single characters not counted.

    Source:
        Kudo 2018, arXiv:1804.10959, section 3.2; count × length is SentencePiece's choice.
    """
    levels = _levels(corpus, max_length)
    chosen = [level.counts >= 2 for level in levels]
    for keep, level, longer in zip(chosen, levels, levels[1:], strict=False):
        keep[longer.parents[longer.counts == level.counts[longer.parents]]] = False
    chosen[0][:] = True
    lengths = np.repeat(np.arange(len(levels)) + 1, [len(level.counts) for level in levels])
    scores = np.concatenate([level.counts for level in levels]) * lengths
    keep = _best(np.concatenate(chosen), scores, len(levels[0].counts), max_seeds)
    seed_of = np.where(keep, np.cumsum(keep) - 1, -1).astype(np.int32)
    table = np.full((len(corpus.text), max_length), -1, np.int32)
    offset = 0
    for column, level in enumerate(levels):
        table[level.at, column] = seed_of[offset + level.ids]
        offset += len(level.counts)
    return Seeds(
        places=np.concatenate([level.first for level in levels])[keep],
        lengths=lengths[keep],
        scores=scores[keep].astype(np.float64),
        table=table,
        n_characters=len(levels[0].counts),
    )


def _best(chosen: np.ndarray, scores: np.ndarray, n_characters: int, limit: int) -> np.ndarray:
    """Which substrings stay when only ``limit`` may, besides the characters."""
    candidates = np.flatnonzero(chosen[n_characters:]) + n_characters
    if len(candidates) > limit:
        order = np.argsort(-scores[candidates], kind="stable")
        chosen[candidates[order[limit:]]] = False
    return chosen


def _levels(corpus: Stretches, max_length: int) -> list[_Level]:
    """The substrings of 1, 2, ... characters, as long as there are frequent ones."""
    points = np.frombuffer(corpus.text.encode("utf-32-le"), np.uint32).astype(np.int64)
    weights = np.repeat(corpus.counts, corpus.lengths)
    room = np.repeat(corpus.starts + corpus.lengths, corpus.lengths) - np.arange(len(points))
    at = np.arange(len(points))
    ids, first = _number(points, at)
    levels: list[_Level] = []
    parents = np.zeros(0, np.int64)
    while len(at) and len(levels) < max_length:
        counts = np.bincount(ids, weights[at], minlength=len(first)).astype(np.int64)
        levels.append(_Level(at=at, ids=ids, counts=counts, first=first, parents=parents))
        # The next level: a frequent substring, with a frequent one that begins one place later.
        here = np.full(len(points) + 1, -1)
        frequent = counts[ids] >= 2
        here[at[frequent]] = ids[frequent]
        grown = at[frequent & (room[at] > len(levels))]
        at = grown[here[grown + 1] >= 0]
        left = here[at]
        ids, first = _number(left * len(first) + here[at + 1], at)
        parents = here[first]
    return levels


def _number(keys: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the distinct keys from 0, and give a place where each occurs."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.diff(ordered, prepend=-1) != 0
    ids = np.empty(len(keys), np.int64)
    ids[order] = np.cumsum(begins) - 1
    return ids, at[order[begins]]
