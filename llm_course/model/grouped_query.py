"""Grouped-query attention without copies of the keys: the queries of a group become rows.

``scaled_dot_product_attention`` repeats each key-value head for all the query heads that share
it. Here the heads of a group are laid one below the other, as if they were so many more positions
that ask the same keys: each key and value is read once. With one query a head, as in decoding,
reading them is all the work there is.
"""

from einops import rearrange
from torch import Tensor

from llm_course.model.attention import Attend, fused_attention
from llm_course.model.attention_inputs import check_attention_inputs
from llm_course.model.heads import check_groups


def grouped_query_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    attend: Attend = fused_attention,
) -> Tensor:
    """Attention in which consecutive query heads share a key-value head.

    Head ``i`` of ``h`` reads key-value head ``i // (h / g)``. As many groups as heads is
    multi-head attention, one group is multi-query attention.

    Args:
        query: one vector for each position that asks.
        key: one vector for each position that may answer, for each group.
        value: what each of them answers.
        mask: bool, True = may attend.
        attend: what computes attention once every group is one head.

    Shapes:
        query ``b h q d``; key, value ``b g k d`` where ``g`` divides ``h``; mask broadcasts to
        ``b h q k``; returns ``b h q d``.

    Raises:
        ShapeError: the sizes do not fit.
        TypeError: the mask is not bool.

    Source:
        Ainslie et al. 2023, arXiv:2305.13245, section 2.2; one group: Shazeer 2019,
        arXiv:1911.02150.

    >>> import torch
    >>> value = torch.tensor([5.0, 7.0]).reshape(1, 2, 1, 1)  # two groups, one key each
    >>> alike = torch.ones(1, 2, 1, 1)
    >>> grouped_query_attention(torch.ones(1, 4, 1, 1), alike, value).flatten().tolist()
    [5.0, 5.0, 7.0, 7.0]
    """
    sizes = check_attention_inputs(query, key, mask)
    groups, n_queries = check_groups(key, sizes["h"]), sizes["q"]
    # Plain reshapes, for the speed of decoding: b (g r) q d -> b g (r q) d, and back below.
    rows = query.reshape(sizes["b"], groups, -1, sizes["d"])
    if mask is not None:
        mask = mask.expand(sizes["b"], sizes["h"], n_queries, sizes["k"])
        mask = rearrange(mask, "b (g r) q k -> b g (r q) k", g=groups)
    return attend(rows, key, value, mask).reshape(query.shape)
