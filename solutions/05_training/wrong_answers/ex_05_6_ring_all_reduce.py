"""Plausible wrong answers to ex-05-6, the ring all-reduce."""

import torch


def _cut(values):
    return [list(value.flatten().tensor_split(len(values))) for value in values]


def _joined(chunks, values):
    return [torch.cat(own).reshape(values[0].shape) for own in chunks]


def _ring(values, first, second, n_first, n_second):
    """A ring whose chunks are chosen by two functions of the rank and the round."""
    n, chunks = len(values), _cut(values)
    for step in range(n_first):
        sent = [chunks[rank][first(rank, step) % n] for rank in range(n)]
        for rank in range(n):
            place = first(rank - 1, step) % n
            chunks[rank][place] = chunks[rank][place] + sent[rank - 1]
    for step in range(n_second):
        sent = [chunks[rank][second(rank, step) % n] for rank in range(n)]
        for rank in range(n):
            chunks[rank][second(rank - 1, step) % n] = sent[rank - 1]
    return _joined(chunks, values)


def central_sum(values):
    """One place adds up everything, in the order of the ranks: no ring at all."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return [total.clone() for _ in values]


def reduce_scatter_alone(values):
    """The second half is forgotten: each rank has one complete chunk and partial sums."""
    n = len(values)
    return _ring(values, lambda r, s: r - 1 - s, lambda r, s: r - s, n - 1, 0)


def own_chunk_first(values):
    """Chunk r starts on rank r, so that it is complete one rank too early."""
    n = len(values)
    return _ring(values, lambda r, s: r - s, lambda r, s: r + 1 - s, n - 1, n - 1)


def one_round_too_many(values):
    """n rounds in place of n - 1: the last one adds a chunk to itself."""
    n = len(values)
    return _ring(values, lambda r, s: r - 1 - s, lambda r, s: r - s, n, n - 1)


def mean_in_place_of_the_sum(values):
    """An average is returned, as data parallelism often wants; the all-reduce sums."""
    n = len(values)
    totals = _ring(values, lambda r, s: r - 1 - s, lambda r, s: r - s, n - 1, n - 1)
    return [total / n for total in totals]


def changes_its_input(values):
    """Chunks are views of the tensors, and are added to in place."""
    n, chunks = len(values), _cut(values)
    for step in range(n - 1):
        sent = [chunks[rank][(rank - 1 - step) % n].clone() for rank in range(n)]
        for rank in range(n):
            chunks[rank][(rank - 2 - step) % n] += sent[rank - 1]
    for step in range(n - 1):
        sent = [chunks[rank][(rank - step) % n].clone() for rank in range(n)]
        for rank in range(n):
            chunks[rank][(rank - 1 - step) % n].copy_(sent[rank - 1])
    return _joined(chunks, values)
