"""Rows of tokens in a shuffled order that the step alone decides: nothing to remember, and on.

The stream is cut into rows of one length, wherever documents begin or end; an epoch is all rows in
an order of its own. Which rows a batch holds follows from the seed and the number of the batch, so
a run goes on from any step without having read what came before. Documents of one row see one
another; ``packed_batches`` keeps them apart.
"""

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor

from llm_course.data.packing.token_stream import TokenStream
from llm_course.errors import CourseError
from llm_course.training.accumulation import Batch


class Rows:
    """A part of a stream as rows of ``context_length`` tokens and what follows each of them.

    Args:
        stream: the tokens.
        context_length: tokens of a row.
        start: the first position of the part.
        stop: where it ends; the end of the stream if not given.

    Raises:
        CourseError: the part has not one whole row.
    """

    def __init__(
        self, stream: TokenStream, context_length: int, start: int = 0, stop: int | None = None
    ) -> None:
        self.stream, self.context_length, self.start = stream, context_length, start
        self.stop = len(stream) if stop is None else stop
        if len(self) < 1:
            raise CourseError(
                f"{stream.folder}: expected more than {context_length} tokens, one row, got "
                f"{max(0, self.stop - start)}. Fix: more data, or a shorter context_length"
            )

    def __len__(self) -> int:
        """How many whole rows there are; each needs the token after its last one."""
        return max(0, self.stop - self.start - 1) // self.context_length

    @property
    def n_tokens(self) -> int:
        """Tokens of all rows."""
        return len(self) * self.context_length

    def batch(self, numbers: list[int]) -> Batch:
        """Some of the rows.

        Shapes:
            returns tokens and targets, ``b t`` each, int64.
        """
        read = [self._row(number) for number in numbers]
        rows = torch.stack(read)
        return rows[:, :-1], rows[:, 1:]

    def _row(self, number: int) -> Tensor:
        begin = self.start + number * self.context_length
        ids, _ = self.stream.read(begin, begin + self.context_length + 1)
        return torch.from_numpy(ids)


def shuffled_batches(
    rows: Rows, batch_size: int, seed: int, first_batch: int = 0
) -> Iterator[Batch]:
    """Batches without end, from any of them on: epoch after epoch, each in another order.

    Args:
        rows: what is read.
        batch_size: rows of a batch; one may hold the end of an epoch and the beginning of another.
        seed: of the orders.
        first_batch: which batch comes first.
    """
    number = first_batch
    while True:
        yield rows.batch(batch_rows(len(rows), batch_size, seed, number))
        number += 1


def batch_rows(n_rows: int, batch_size: int, seed: int, batch: int) -> list[int]:
    """Which rows a batch of the endless order holds: each of them once an epoch.

    Place ``p = batch * batch_size + i`` of that order is place ``p mod n_rows`` of epoch
    ``p div n_rows``, whose order follows from the seed and the epoch alone.

    Args:
        n_rows: how many rows there are.
        batch_size: rows of a batch; one may hold the end of an epoch and the beginning of another.
        seed: of the orders.
        batch: which batch, from 0.

    Raises:
        ValueError: there are no rows, or a number is out of range.

    >>> rows = [batch_rows(5, 2, seed=0, batch=b) for b in range(5)]
    >>> sorted(sum(rows, [])) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]  # ten places, two epochs
    True
    """
    if n_rows < 1 or batch_size < 1 or batch < 0:
        raise ValueError(
            f"n_rows, batch_size, batch: expected at least 1, 1 and 0, got {n_rows}, "
            f"{batch_size} and {batch}."
        )
    first = batch * batch_size
    places = (divmod(first + i, n_rows) for i in range(batch_size))
    return [_order(n_rows, seed, epoch)[place] for epoch, place in places]


@lru_cache(maxsize=4)
def _order(n_rows: int, seed: int, epoch: int) -> list[int]:
    # Two numbers in one seed: no two runs of few epochs share an order.
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    return torch.randperm(n_rows, generator=generator).tolist()


def held_out_batches(rows: Rows, batch_size: int) -> Iterator[Batch]:
    """All rows once, in order; the last batch may be smaller."""
    for start in range(0, len(rows), batch_size):
        yield rows.batch(list(range(start, min(start + batch_size, len(rows)))))
