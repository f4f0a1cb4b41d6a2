"""Collectives as pure functions: the ranks are places in a list, and a message is an assignment.

They show who sends what to whom, and nothing else; ``collectives.py`` does the same between real
processes. A ring needs no central place: each rank sends to the next and receives from the one
before, in ``n - 1`` rounds, and every link is busy in every round.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from llm_course.shapes import ShapeError


def ring_reduce_scatter(values: Sequence[Tensor]) -> list[Tensor]:
    """Each rank ends with one chunk of the sum: rank ``r`` with chunk ``r``.

    In round ``s`` rank ``r`` sends chunk ``r - 1 - s`` to rank ``r + 1``, which adds it to its
    own. After ``n - 1`` rounds chunk ``r`` has been everywhere once, and arrives at rank ``r``.

    Args:
        values: one tensor for each rank; none of them is changed.

    Shapes:
        values any, all the same; returns one axis each, ``N / n`` numbers. If ``n`` does not
        divide ``N``, the first chunks have one number more.

    Raises:
        ShapeError: the ranks' shapes differ.
        ValueError: there is no rank.

    Source:
        Patarasuk and Yuan 2009, *Bandwidth optimal all-reduce algorithms*, section 3.

    >>> values = [torch.tensor([1, 2, 3, 4]), torch.tensor([10, 20, 30, 40])]
    >>> [chunk.tolist() for chunk in ring_reduce_scatter(values)]
    [[11, 22], [33, 44]]
    """
    n = _check_ranks(values)
    chunks = [list(value.flatten().tensor_split(n)) for value in values]
    for step in range(n - 1):
        sent = [chunks[rank][(rank - 1 - step) % n] for rank in range(n)]
        for rank in range(n):
            place = (rank - 2 - step) % n  # what the rank before has just sent
            chunks[rank][place] = chunks[rank][place] + sent[rank - 1]
    return [chunks[rank][rank] for rank in range(n)]


def ring_all_gather(chunks: Sequence[Tensor]) -> list[Tensor]:
    """Each rank ends with all chunks, in the order of the ranks.

    In round ``s`` rank ``r`` sends chunk ``r - s``: its own first, then what it has just received.

    Args:
        chunks: one for each rank; rank ``r`` begins with chunk ``r``.

    Shapes:
        chunks one axis each, of any lengths; returns one axis each, the sum of the lengths.

    Raises:
        ValueError: there is no rank.

    >>> [whole.tolist() for whole in ring_all_gather([torch.tensor([1]), torch.tensor([2])])]
    [[1, 2], [1, 2]]
    """
    n = _check_count(chunks)
    held = [{rank: chunks[rank]} for rank in range(n)]
    for step in range(n - 1):
        sent = [held[rank][(rank - step) % n] for rank in range(n)]
        for rank in range(n):
            held[rank][(rank - 1 - step) % n] = sent[rank - 1]
    return [torch.cat([own[place] for place in range(n)]) for own in held]


def ring_all_reduce(values: Sequence[Tensor]) -> list[Tensor]:
    """Each rank ends with the sum: a reduce-scatter, then an all-gather of the chunks.

    A rank sends ``2 (n - 1)`` chunks of ``N / n`` numbers, so ``2 (n - 1) / n * N``: less than
    twice its tensor, however many ranks there are.

    Args:
        values: one tensor for each rank; none of them is changed.

    Shapes:
        values any, all the same; returns the same.

    Raises:
        ShapeError: the ranks' shapes differ.
        ValueError: there is no rank.

    Source:
        Patarasuk and Yuan 2009, *Bandwidth optimal all-reduce algorithms*, section 3.

    >>> values = [torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0])]
    >>> [total.tolist() for total in ring_all_reduce(values)]
    [[11.0, 22.0], [11.0, 22.0]]
    """
    sums = ring_all_gather(ring_reduce_scatter(values))
    return [total.reshape(values[0].shape) for total in sums]


def broadcast_rounds(n_ranks: int, source: int = 0) -> list[list[tuple[int, int]]]:
    """Who sends to whom when one rank has something to say: a binomial tree.

    In each round everybody who knows tells one who does not, so that the number of those who know
    doubles: ``ceil(log2 n)`` rounds, where the source alone would need ``n - 1``.

    Args:
        n_ranks: how many ranks there are.
        source: the rank that knows at first.

    Returns:
        For each round its pairs of sender and receiver.

    Raises:
        ValueError: there is no rank, or the source is none of them.

    >>> broadcast_rounds(4)
    [[(0, 1)], [(0, 2), (1, 3)]]
    """
    if n_ranks < 1 or not 0 <= source < n_ranks:
        raise ValueError(f"source: expected a rank from 0 to {n_ranks - 1}, got {source}.")
    rounds, know = [], 1
    while know < n_ranks:
        pairs = [(rank, rank + know) for rank in range(min(know, n_ranks - know))]
        rounds.append([tuple((rank + source) % n_ranks for rank in pair) for pair in pairs])
        know *= 2
    return rounds


def _check_count(values: Sequence[Tensor]) -> int:
    if len(values) == 0:
        raise ValueError("values: expected one for each rank, got none.")
    return len(values)


def _check_ranks(values: Sequence[Tensor]) -> int:
    """The number of ranks, once their tensors are known to have one shape."""
    n = _check_count(values)
    for rank, value in enumerate(values):
        if value.shape != values[0].shape:
            raise ShapeError(
                f"values: expected shape {tuple(values[0].shape)} on every rank, got "
                f"{tuple(value.shape)} on rank {rank}."
            )
    return n
