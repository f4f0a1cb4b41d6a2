"""The lattices of many words at once, as arrays: the Unigram trainer's inner loop.

A word's lattice has a node before, between and behind its characters and an edge for each piece
that spells what lies between two nodes. All words take their step from character ``t`` to what
follows together, so the Python loop runs over the longest word's characters, not over words.

Nodes are numbered by position first (position 0 of all words, position 1, ...), words from long
to short, so that the words which are still going are the first of each position. Edges are sorted
by the node that they leave. From one position, no two edges reach the same node: a plain indexed
assignment adds to each node once.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

SPAN = 16
"""The longest piece, in characters."""

RESCALE = 8
"""Probabilities are rescaled each so many characters. No product is then longer than
``SPAN + RESCALE - 1`` characters: it stays a float64 while each has a piece above 1e-13."""


@dataclass(frozen=True, kw_only=True)
class WordLattices:
    """Nodes and edges of all lattices.

    Shapes:
        ``piece``, ``start``, ``end``: ``(edges,)`` int64: what an edge spells, and its two nodes.
        ``alive``: ``(longest + 1,)``: how many words have a node at each position.
        ``node``: ``(longest + 2,)``: the first node of each position.
        ``last``: ``(words,)``: the last node of each word.
        ``order``: ``(words,)``: which of the words given to ``build_lattices`` each one is.
    """

    piece: np.ndarray
    start: np.ndarray
    end: np.ndarray
    alive: np.ndarray
    node: np.ndarray
    last: np.ndarray
    order: np.ndarray

    def slices(self) -> list[slice]:
        """The edges that leave each position."""
        bounds = np.searchsorted(self.start, self.node[:-1]).tolist()
        return [slice(*pair) for pair in pairwise(bounds)]

    def keep(self, edges: np.ndarray, number: np.ndarray) -> "WordLattices":
        """Only these edges, and each piece under its new number."""
        return replace(
            self, piece=number[self.piece[edges]], start=self.start[edges], end=self.end[edges]
        )


def build_lattices(starts: np.ndarray, lengths: np.ndarray, table: np.ndarray) -> WordLattices:
    """The lattices of the words that begin at ``starts`` in a corpus.

    Args:
        starts: where each word begins, ``(words,)``.
        lengths: how many characters each has, ``(words,)``.
        table: ``(characters, max_length)``: the piece of length ``l`` that begins at place ``i``
            is ``table[i, l - 1]``, or -1.

    >>> made = build_lattices(np.array([0]), np.array([2]), np.array([[0, 2], [1, -1]]))
    >>> made.piece.tolist(), made.start.tolist(), made.end.tolist()
    ([0, 2, 1], [0, 0, 1], [1, 2, 2])
    """
    order = np.argsort(-lengths, kind="stable")
    starts, lengths = starts[order], lengths[order]
    longest = int(lengths[0])
    alive = np.searchsorted(-lengths, -np.arange(longest + 1), side="right")
    node = np.concatenate([[0], np.cumsum(alive)])
    width = table.shape[1]
    pieces, leaves, reaches = [], [], []
    for t in range(longest):
        n = int(alive[t + 1])
        found = table[starts[:n] + t]
        left = np.minimum(lengths[:n] - t, width)
        fits = np.arange(width) < left[:, None]
        word, column = np.nonzero((found >= 0) & fits)
        pieces.append(found[word, column].astype(np.int64))
        leaves.append(node[t] + word)
        reaches.append(node[t + 1 + column] + word)
    return WordLattices(
        piece=np.concatenate(pieces), start=np.concatenate(leaves), end=np.concatenate(reaches),
        alive=alive, node=node, last=node[lengths] + np.arange(len(lengths)), order=order,
    )  # fmt: skip


def expected_counts(
    lattices: WordLattices, probability: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, float]:
    """Forward and backward over all words: the expectation step.

    ``alpha[e] = Σ alpha[s] p(piece)`` over the edges from ``s`` to ``e``, ``beta`` likewise from
    the end; an edge is used ``alpha[s] p beta[e] / alpha[last]`` times on average.

    Args:
        lattices: the words.
        probability: of each piece, ``(pieces,)``; every word has a path with none of them 0.
        counts: of each word, in the order of ``lattices``.

    Returns:
        The expected count of each piece, and the log-likelihood ``Σ count · log p(word)``.

    Source:
        Kudo 2018, arXiv:1804.10959, section 3.2 (EM over the marginal likelihood, equation 5).
    """
    slices = lattices.slices()
    weight = probability[lattices.piece]
    alpha, scales = _forward(lattices, slices, weight)
    total = alpha[lattices.last]
    likelihood = float(counts @ np.log(total))
    for scale in scales.values():
        likelihood += float(counts[: len(scale)] @ np.log(scale))
    beta = np.zeros_like(alpha)
    beta[lattices.last] = counts / total
    used = np.empty_like(weight)
    for t in reversed(range(len(slices))):
        if t + 1 in scales:
            _rescale(lattices, beta, t + 1, scales[t + 1])
        edges, first = slices[t], lattices.node[t]
        ahead = weight[edges] * beta[lattices.end[edges]]
        here = lattices.start[edges]
        begins = np.flatnonzero(np.diff(here, prepend=-1))
        beta[first : first + len(begins)] += np.add.reduceat(ahead, begins)
        used[edges] = alpha[here] * ahead
    return np.bincount(lattices.piece, used, minlength=len(probability)), likelihood


def _forward(
    lattices: WordLattices, slices: list[slice], weight: np.ndarray
) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """``alpha``, and by what the words were divided at each ``RESCALE``-th character.

    Shapes: ``alpha``: ``(nodes,)``. Each scale: ``(words that go on,)``.
    """
    alpha = np.zeros(lattices.node[-1])
    alpha[: lattices.alive[0]] = 1.0
    scales: dict[int, np.ndarray] = {}
    for t, edges in enumerate(slices):
        if t and t % RESCALE == 0:
            first = lattices.node[t]
            scales[t] = alpha[first : first + lattices.alive[t + 1]].copy()
            _rescale(lattices, alpha, t, scales[t])
        alpha[lattices.end[edges]] += alpha[lattices.start[edges]] * weight[edges]
    return alpha, scales


def _rescale(lattices: WordLattices, values: np.ndarray, t: int, scale: np.ndarray) -> None:
    """Divide the nodes that an edge over character ``t`` can touch by ``scale``, word by word."""
    for position in range(t, min(t + SPAN, len(lattices.alive))):
        first, n = lattices.node[position], min(int(lattices.alive[position]), len(scale))
        values[first : first + n] /= scale[:n]


def best_paths(lattices: WordLattices, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Viterbi over all words: the best score at each node, and the edge that reached it.

    Of equal paths, the one whose last piece begins first wins, as in SentencePiece.

    Args:
        lattices: the words.
        score: the log-probability of each piece.

    Returns:
        Best score ``(nodes,)`` and edge ``(nodes,)``; without a path -inf and -1.
    """
    best = np.full(lattices.node[-1], -np.inf)
    best[: lattices.alive[0]] = 0.0
    back = np.full(lattices.node[-1], -1)
    weight = score[lattices.piece]
    for edges in lattices.slices():
        end = lattices.end[edges]
        reached = best[lattices.start[edges]] + weight[edges]
        better = np.flatnonzero(reached > best[end])
        best[end[better]] = reached[better]
        back[end[better]] = edges.start + better
    return best, back
