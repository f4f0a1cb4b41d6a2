"""All segmentations of one text as a lattice: the best, the best n, a random one, their sum.

Nodes are the places between characters; an edge is a piece with its log-probability, so a path
from the first node to the last is a segmentation and its score is the sum along it. This is the
readable version, one text at a time; the trainer's ``word_lattices`` does many words at once.
"""

import heapq
import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, count, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Lattice:
    """The text, and for each place the edges that leave it: where they end and their scores.

    >>> Lattice("ab", [[(1, -1.0), (2, -1.5)], [(2, -1.0)]]).text
    'ab'
    """

    text: str
    leaving: list[list[tuple[int, float]]]


PrefixTable = Mapping[str, float | None]
"""The score of each piece; None for what is only the beginning of one."""


def prefix_table(scores: Mapping[str, float]) -> dict[str, float | None]:
    """The pieces and all their beginnings, so that a search knows where to stop.

    >>> prefix_table({"a": -1.0, "abc": -2.0})
    {'a': -1.0, 'ab': None, 'abc': -2.0}
    """
    table: dict[str, float | None] = {}
    for piece in sorted(scores):
        for length in range(1, len(piece)):
            table.setdefault(piece[:length], None)
        table[piece] = scores[piece]
    return table


def build_lattice(text: str, table: PrefixTable, unknown: float) -> Lattice:
    """The lattice of a text.

    Args:
        text: normalised text.
        table: from ``prefix_table``.
        unknown: the score of a character that is no piece; it gets an edge of its own.

    >>> build_lattice("ab?", prefix_table({"a": -1.0, "b": -1.0, "ab": -1.5}), -9.0).leaving
    [[(1, -1.0), (2, -1.5)], [(2, -1.0)], [(3, -9.0)]]
    """
    leaving, size = [], len(text)
    for start in range(size):
        edges, end = [], start + 1
        score = table.get(text[start], unknown)
        edges.append((end, unknown if score is None else score))
        while end < size:
            end += 1
            score = table.get(text[start:end], _ABSENT)
            if score is _ABSENT:
                break
            if score is not None:
                edges.append((end, score))
        leaving.append(edges)
    return Lattice(text, leaving)


_ABSENT = object()


def viterbi(lattice: Lattice) -> list[str]:
    """The most probable segmentation; of equal ones, that whose last piece begins first.

    The scores' own type does the arithmetic: float32 scores give SentencePiece's result where
    rounding decides.

    Source:
        Kudo 2018, arXiv:1804.10959, equation 2; Viterbi 1967.

    >>> viterbi(Lattice("ab", [[(1, -1.0), (2, -1.5)], [(2, -1.0)]]))
    ['ab']
    """
    size = len(lattice.text)
    best: list[float] = [0 * lattice.leaving[0][0][1] if size else 0.0, *([-math.inf] * size)]
    back = [0] * (size + 1)
    for start, edges in enumerate(lattice.leaving):
        here = best[start]
        for end, score in edges:
            reached = here + score
            if reached > best[end]:
                best[end], back[end] = reached, start
    cuts = [size]
    while cuts[-1]:
        cuts.append(back[cuts[-1]])
    return [lattice.text[a:b] for a, b in pairwise(reversed(cuts))]


def forward(lattice: Lattice) -> list[float]:
    """``alpha``: the log of the summed probability of all ways to each place.

    ``alpha[e] = log Σ exp(alpha[s] + score)``; the last is the log of the text's
    marginal probability.

    >>> round(math.exp(forward(Lattice("ab", [[(1, -1.0), (2, -1.5)], [(2, -1.0)]]))[-1]), 4)
    0.3585
    """
    terms: list[list[float]] = [[0.0], *([] for _ in lattice.text)]
    alpha = []
    for start, edges in enumerate(lattice.leaving):
        alpha.append(_log_sum(terms[start]))
        for end, score in edges:
            terms[end].append(alpha[start] + score)
    return [*alpha, _log_sum(terms[-1])]


def backward(lattice: Lattice) -> list[float]:
    """``beta``: the log of the summed probability of all ways from each place to the end."""
    beta = [0.0] * (len(lattice.text) + 1)
    for start in reversed(range(len(lattice.text))):
        beta[start] = _log_sum([score + beta[end] for end, score in lattice.leaving[start]])
    return beta


def piece_expectations(lattice: Lattice) -> dict[str, float]:
    """How often each piece is used on average over all segmentations, by their probability.

    An edge is used with probability ``exp(alpha[s] + score + beta[e] - alpha[last])``.

    Source:
        Kudo 2018, arXiv:1804.10959, section 3.2 (the expectation step).

    >>> lattice = Lattice("ab", [[(1, -1.0), (2, -1.5)], [(2, -1.0)]])
    >>> {piece: round(use, 4) for piece, use in piece_expectations(lattice).items()}
    {'a': 0.3775, 'ab': 0.6225, 'b': 0.3775}
    """
    alpha, beta = forward(lattice), backward(lattice)
    uses: dict[str, float] = {}
    for start, edges in enumerate(lattice.leaving):
        for end, score in edges:
            piece = lattice.text[start:end]
            use = math.exp(alpha[start] + score + beta[end] - alpha[-1])
            uses[piece] = uses.get(piece, 0.0) + use
    return uses


def n_best(lattice: Lattice, n: int) -> list[tuple[list[str], float]]:
    """The ``n`` most probable segmentations with their scores, best first; fewer if there are.

    A* from the front: the exact best score from a place to the end is the heuristic, so paths
    come off the heap in the order of their scores.

    Source:
        Kudo 2018, arXiv:1804.10959, section 3.3 (n-best sampling).

    >>> n_best(Lattice("ab", [[(1, -1.0), (2, -1.5)], [(2, -1.0)]]), 5)
    [(['ab'], -1.5), (['a', 'b'], -2.0)]
    """
    size = len(lattice.text)
    ahead = [0.0] * (size + 1)
    for start in reversed(range(size)):
        ahead[start] = max(score + ahead[end] for end, score in lattice.leaving[start])
    tie = count()
    heap: list[tuple[float, int, float, tuple[int, ...]]] = [(-ahead[0], next(tie), 0.0, (0,))]
    found: list[tuple[list[str], float]] = []
    while heap and len(found) < n:
        _, _, score, cuts = heapq.heappop(heap)
        if cuts[-1] == size:
            found.append(([lattice.text[a:b] for a, b in pairwise(cuts)], score))
            continue
        for end, step in lattice.leaving[cuts[-1]]:
            reached = score + step
            heapq.heappush(heap, (-(reached + ahead[end]), next(tie), reached, (*cuts, end)))
    return found


def sample(lattice: Lattice, generator: "torch.Generator", alpha: float = 1.0) -> list[str]:
    """A random segmentation, drawn with probability ``∝ p(segmentation) ** alpha``.

    Forward sums first, then one piece at a time from the end: exact, over all segmentations.

    Args:
        lattice: of the text.
        generator: the source of chance.
        alpha: 1 draws by probability, larger prefers the best, 0 makes all equally likely.

    Source:
        Kudo 2018, arXiv:1804.10959, section 3.3 (subword regularisation with ``l = ∞``).

    >>> import torch
    >>> sample(Lattice("a", [[(1, -1.0)]]), torch.Generator().manual_seed(0))
    ['a']
    """
    import torch  # two seconds, and the workers that tokenize a corpus draw nothing

    powered = [[(end, alpha * score) for end, score in edges] for edges in lattice.leaving]
    sums = forward(Lattice(lattice.text, powered))
    arriving: list[list[tuple[int, float]]] = [[] for _ in sums]
    for start, edges in enumerate(powered):
        for end, score in edges:
            arriving[end].append((start, sums[start] + score - sums[end]))
    cuts = [len(lattice.text)]
    draws = torch.rand(len(lattice.text), dtype=torch.float64, generator=generator).tolist()
    while cuts[-1]:
        starts, logs = zip(*arriving[cuts[-1]], strict=True)
        sums_up_to = list(accumulate(map(math.exp, logs)))  # the last is 1, up to rounding
        cuts.append(starts[bisect_right(sums_up_to, draws[cuts[-1] - 1] * sums_up_to[-1])])
    return [lattice.text[a:b] for a, b in pairwise(reversed(cuts))]


def _log_sum(terms: list[float]) -> float:
    """``log Σ exp``."""
    largest = max(terms)
    return largest + math.log(sum(math.exp(term - largest) for term in terms))
