"""T5's relative positions: a learned number for each range of distances and each head.

Distances are sorted into buckets: near ones each into its own, far ones into ranges that grow like
a logarithm, the farthest all into the last. A table of ``n_buckets`` rows is learned, and added to
the scores as a bias. T5 does not divide its scores by ``sqrt(d_k)``, and has one table for all
layers of a stack.
"""

import math

import torch
from einops import rearrange
from torch import Tensor

from llm_course.shapes import check_shape


def relative_buckets(
    distance: Tensor, bidirectional: bool, n_buckets: int = 32, max_distance: int = 128
) -> Tensor:
    """The bucket of each distance.

    With ``n`` buckets for a direction and ``m = n / 2``: a distance ``s < m`` has bucket ``s``; a
    longer one ``m + floor(log(s / m) / log(max_distance / m) * (n - m))``, at most ``n - 1``. An
    encoder gives half of the buckets to each direction; a decoder gives all of them to the past,
    and every key ahead counts as distance 0.

    Args:
        distance: how far each key lies ahead of each query (``score_bias.distances``).
        bidirectional: whether the future has buckets of its own, as in an encoder.
        n_buckets: number of buckets, both directions together.
        max_distance: from here on, all distances share the last bucket.

    Shapes:
        distance any, integers; returns the same, int64.

    Raises:
        ValueError: the buckets cannot be shared out: fewer than two a direction, an odd number for
            two directions, or no distance left for the logarithm.

    Source:
        Raffel et al. 2020, arXiv:1910.10683, section 2.1; the authors' code.

    >>> relative_buckets(torch.tensor([-1, 0, 1, -500]), bidirectional=True).tolist()
    [1, 0, 17, 15]
    >>> relative_buckets(torch.tensor([-1, 0, 1, -500]), bidirectional=False).tolist()
    [1, 0, 0, 31]
    """
    check_buckets(bidirectional, n_buckets, max_distance)
    first = torch.zeros_like(distance, dtype=torch.int64)
    if bidirectional:
        n_buckets //= 2
        first = first + n_buckets * (distance > 0)
        steps = distance.abs()
    else:
        steps = (-distance).clamp(min=0)
    exact = n_buckets // 2
    # Steps below `exact` are replaced by it, to keep log(0) out; they do not use the result.
    growth = (steps.clamp(min=exact).float() / exact).log() / math.log(max_distance / exact)
    far = exact + (growth * (n_buckets - exact)).long()
    return first + torch.where(steps < exact, steps, far.clamp(max=n_buckets - 1))


def check_buckets(bidirectional: bool, n_buckets: int, max_distance: int) -> None:
    """Refuse numbers that make no buckets: see ``relative_buckets``."""
    directions = 2 if bidirectional else 1
    if n_buckets < 2 * directions or n_buckets % directions:
        kind = "an even number, 4 or more" if bidirectional else "2 or more"
        raise ValueError(f"n_buckets: expected {kind}, got {n_buckets}.")
    exact = n_buckets // directions // 2
    if max_distance <= exact:
        raise ValueError(
            f"max_distance: expected more than the {exact} distances that have a bucket each, "
            f"got {max_distance}."
        )


def relative_bias(buckets: Tensor, table: Tensor) -> Tensor:
    """The bias ``table[bucket, head]``.

    Shapes:
        buckets ``b q k``; table ``buckets h``; returns ``b h q k``.

    Raises:
        ShapeError: the sizes do not fit.

    >>> relative_bias(torch.tensor([[[1, 0]]]), torch.tensor([[5.0, 6.0], [7.0, 8.0]])).tolist()
    [[[[7.0, 5.0]], [[8.0, 6.0]]]]
    """
    check_shape(buckets, "b q k", "buckets")
    check_shape(table, "n h", "table")
    return rearrange(table[buckets], "b q k h -> b h q k")
