"""Attention over a ``PagedCache``: for the next token of many sequences, or for a whole prompt.

The blocks are gathered into contiguous keys and values first, which shows the idea and costs a
copy; a kernel made for the purpose reads them where they lie.
"""

import torch
from einops import rearrange
from torch import Tensor

from llm_course.decoding.blocks import gather_blocks
from llm_course.decoding.paged_cache import PagedCache
from llm_course.model.attention import Attend, scaled_dot_product_attention
from llm_course.shapes import check_shape


def paged_attention(
    query: Tensor,
    cache: PagedCache,
    layer: int,
    sequences: list[int],
    attend: Attend = scaled_dot_product_attention,
) -> Tensor:
    """Causal attention of the newest tokens over everything that the cache holds of them.

    The queries of a sequence are its last ``q`` tokens, whose keys are written already: one for a
    step of decoding, all for a prompt. The sequences may differ in length.

    Args:
        query: of the newest tokens.
        cache: what holds the keys and values.
        layer: which layer, from 0.
        sequences: the sequence of each row of the batch.
        attend: what computes attention.

    Shapes:
        query ``b h q d``; returns ``b h q d``.

    Raises:
        ShapeError: the sizes do not fit.
        ValueError: there is no sequence, one is not live, or one is shorter than its queries.

    Source:
        Kwon et al. 2023, arXiv:2309.06180, eq. 4.

    >>> cache = PagedCache(1, 1, 1, n_blocks=4, block_size=2)
    >>> slots = cache.extend(cache.start(), 3)
    >>> cache.write(0, slots, torch.zeros(1, 3, 1), torch.tensor([[[3.0], [6.0], [9.0]]]))
    >>> paged_attention(torch.ones(1, 1, 2, 1), cache, 0, [0]).flatten().tolist()  # means
    [4.5, 6.0]
    """
    if not sequences:
        raise ValueError("sequences: expected at least one, got none.")
    n_queries = check_shape(query, "b h q d", "query", b=len(sequences))["q"]
    tables = [cache.table(sequence) for sequence in sequences]
    lengths = [cache.length(sequence) for sequence in sequences]
    if min(lengths) < n_queries:
        raise ValueError(
            f"query: expected at most {min(lengths)} positions, the length of the shortest "
            f"sequence, got {n_queries}. Fix: extend and write before attending."
        )
    keys, values = _gather_padded(cache, layer, tables, max(lengths))
    ends = rearrange(torch.tensor(lengths, device=query.device), "b -> b 1 1 1")
    key_positions = torch.arange(max(lengths), device=query.device)
    query_positions = ends - n_queries + rearrange(key_positions[:n_queries], "q -> q 1")
    # Behind the end lie tokens of other sequences. They are masked, but a kernel may compute with
    # them all the same (0 times infinity is NaN): one that overflows must not spoil the others.
    foreign = rearrange(key_positions, "k -> k 1") >= ends
    keys, values = (x.masked_fill(foreign, 0.0).to(query.dtype) for x in (keys, values))
    mask = key_positions <= query_positions
    return attend(query, keys, values, mask)


def _gather_padded(
    cache: PagedCache, layer: int, tables: list[list[int]], length: int
) -> tuple[Tensor, Tensor]:
    """Keys and values ``b g k d``; shorter tables are padded with block 0, to be masked."""
    width = max(map(len, tables))
    padded = [table + [0] * (width - len(table)) for table in tables]
    blocks = torch.tensor(padded, dtype=torch.int64, device=cache.keys.device)
    keys = gather_blocks(cache.keys[layer], blocks, length)
    return keys, gather_blocks(cache.values[layer], blocks, length)
