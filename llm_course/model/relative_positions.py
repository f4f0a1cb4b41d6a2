"""T5's relative positions: a learned number for each head and each range of distances.

Distances fall into buckets: near ones have a bucket each, farther ones share buckets that grow
with the logarithm of the distance, and all beyond the farthest share the last. A table of one
number for each bucket and head is added to the scores. T5 makes the table once, in its first
layer, and every layer uses it; it also leaves out the division by ``sqrt(d_k)``.
"""

import math

import torch
from einops import rearrange
from torch import Tensor, nn


def relative_buckets(
    query_positions: Tensor,
    key_positions: Tensor,
    *,
    n_buckets: int = 32,
    max_distance: int = 128,
    bidirectional: bool,
) -> Tensor:
    """The bucket of every distance from a query to a key.

    With ``n`` buckets for a direction and ``e = n // 2``, a distance ``r < e`` has bucket ``r``,
    and a longer one ``e + floor(log(r / e) / log(max_distance / e) * (n - e))``, at most
    ``n - 1``. Two directions share the buckets: keys that come after the query take the upper
    half. One direction knows no future: keys after the query share bucket 0.

    Args:
        query_positions: the positions that ask.
        key_positions: the positions that answer.
        n_buckets: how many buckets there are in all.
        max_distance: from here on all distances share the last bucket.
        bidirectional: True in an encoder, False under a causal mask.

    Shapes:
        query_positions ``q``; key_positions ``k``; returns ``q k``, int64.

    Raises:
        ValueError: there are too few buckets, or ``max_distance`` is not beyond the exact ones.

    Source:
        Raffel et al. 2020, arXiv:1910.10683, section 2.1; the formula is in T5's code,
        ``mesh_tensorflow/transformer/transformer_layers.py``, ``_relative_position_bucket``.

    >>> here, there = torch.tensor([0]), torch.tensor([-200, -20, -3, 0, 3])
    >>> relative_buckets(here, there, bidirectional=True).tolist()
    [[15, 10, 3, 0, 19]]
    """
    per_direction = n_buckets // 2 if bidirectional else n_buckets
    exact = per_direction // 2
    if exact < 1 or max_distance <= exact:
        raise ValueError(
            f"n_buckets, max_distance: expected at least {4 if bidirectional else 2} buckets and "
            f"a distance beyond the {exact} exact ones, got {n_buckets} and {max_distance}."
        )
    ahead = rearrange(key_positions, "k -> 1 k") - rearrange(query_positions, "q -> q 1")
    start = (ahead > 0).long() * per_direction if bidirectional else torch.zeros_like(ahead)
    distance = ahead.abs() if bidirectional else (-ahead).clamp(min=0)
    # fp32, as T5 computed it: where a quotient falls on an integer, another width rounds apart.
    octaves = torch.log(distance.clamp(min=1).float() / exact) / math.log(max_distance / exact)
    far = exact + (octaves * (per_direction - exact)).long()
    return start + torch.where(distance < exact, distance, far.clamp(max=per_direction - 1))


class RelativeBias(nn.Module):
    """The learned table, looked up for every pair of positions.

    Args:
        n_heads: how many numbers a bucket has.
        n_buckets: how many buckets there are.
        max_distance: from here on all distances share the last bucket.
        bidirectional: True in an encoder, False under a causal mask.

    >>> bias = RelativeBias(n_heads=2, bidirectional=True)
    >>> bias(torch.arange(3), torch.arange(5)).shape
    torch.Size([2, 3, 5])
    """

    def __init__(
        self, n_heads: int, n_buckets: int = 32, max_distance: int = 128, *, bidirectional: bool
    ) -> None:
        super().__init__()
        self.max_distance, self.bidirectional = max_distance, bidirectional
        self.table = nn.Embedding(n_buckets, n_heads)

    def forward(self, query_positions: Tensor, key_positions: Tensor) -> Tensor:
        """Shapes: query_positions ``q``; key_positions ``k``; returns ``h q k``."""
        buckets = relative_buckets(
            query_positions,
            key_positions,
            n_buckets=self.table.num_embeddings,
            max_distance=self.max_distance,
            bidirectional=self.bidirectional,
        )
        return rearrange(self.table(buckets), "q k h -> h q k")
