"""Which part of a batch a rank computes, and how much its loss counts.

The mean over a batch is not the mean of its parts' means unless all have as many targets. So a
part's loss is multiplied by its share of the targets, and the parts are **summed**.
"""

from torch import Tensor

from llm_course.training.loop import Batch
from llm_course.training.loss import IGNORE


def rows_of_rank(batch: Batch, rank: int, n_ranks: int, n_microbatches: int = 1) -> list[Batch]:
    """A rank's rows of the batch, cut into micro-batches of equal size.

    Args:
        batch: tokens and targets, the whole batch.
        rank: which part, from 0.
        n_ranks: how many parts.
        n_microbatches: into how many each part is cut.

    Shapes:
        tokens, targets ``b t``; returns pairs of ``b/(n_ranks n_microbatches) t``.

    Raises:
        ValueError: the parts do not divide the rows.

    >>> import torch
    >>> tokens = torch.arange(4).unsqueeze(1)
    >>> [part[0].flatten().tolist() for part in rows_of_rank((tokens, tokens), 1, 2, 2)]
    [[2], [3]]
    """
    n_parts, n_rows = n_ranks * n_microbatches, len(batch[0])
    if n_rows % n_parts or n_rows == 0:
        raise ValueError(
            f"batch: expected a multiple of {n_parts} rows ({n_ranks} ranks times "
            f"{n_microbatches} micro-batches), got {n_rows}."
        )
    parts = list(zip(*(tensor.chunk(n_parts) for tensor in batch), strict=True))
    return parts[rank * n_microbatches : (rank + 1) * n_microbatches]


def share_of_targets(targets: Tensor, n_targets: int) -> float:
    """The share of all targets that are in this part; its mean loss counts by it.

    Args:
        targets: of the part.
        n_targets: those of the whole batch that count.

    Shapes:
        targets any.

    Raises:
        ValueError: there is no target in the whole batch.

    >>> import torch
    >>> share_of_targets(torch.tensor([[3, IGNORE, 5]]), n_targets=8)
    0.25
    """
    if n_targets < 1:
        raise ValueError(f"targets: expected one that counts, got only {IGNORE}.")
    return int((targets != IGNORE).sum()) / n_targets
