"""Attention: every position asks a question, and takes a weighted average of the answers.

The functions hold the mathematics, on tensors ``b h t d``; ``Attention`` holds the weights and
calls them. Multi-head, grouped-query and multi-query attention are one function: they differ in
how many key-value heads there are. Another kernel is passed as ``attend``; keys and values that are
kept between calls come through ``remember``.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from einops import einsum
from torch import Tensor, nn

from llm_course.model.attention_inputs import check_attention_inputs
from llm_course.model.cache import Remember
from llm_course.model.heads import check_heads, merge_heads, repeat_kv_heads, split_heads
from llm_course.shapes import check_shape

Attend = Callable[..., Tensor]
"""What computes attention from the heads, as ``attend(query, key, value, mask)``; ``bias=`` and
``scale=`` come with them from a model that has them (T5, ALiBi), and only then."""

Rotate = Callable[[Tensor], Tensor]
"""What brings positions into queries and keys (rotary embedding), when anything does."""


def attention_weights(
    query: Tensor,
    key: Tensor,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    scale: float | None = None,
) -> Tensor:
    """How much each query attends to each key: ``softmax(Q Kᵀ / sqrt(d_k) + bias)``, row by row.

    A row sums to 1. A row whose keys are all hidden has nothing to distribute: it is exactly
    zero, and no gradient flows through it.

    Args:
        query: one vector for each position that asks.
        key: one vector for each position that may answer; its heads divide the query's.
        mask: bool, True = may attend; every key is visible if not given.
        bias: float, added to the scores (``score_bias``).
        scale: what the products are multiplied by; ``1 / sqrt(d_k)`` if not given.

    Shapes:
        query ``b h q d``; key ``b g k d``; mask and bias broadcast to ``b h q k``;
        returns ``b h q k``.

    Raises:
        ShapeError: the sizes do not fit.
        TypeError: the mask is not bool, or the bias not float.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, eq. 1.

    >>> import torch
    >>> query = torch.tensor([[[[1.0]]]])
    >>> key = torch.tensor([[[[1.0], [3.0]]]]).log()  # scores log 1 and log 3
    >>> attention_weights(query, key).round(decimals=4).flatten().tolist()
    [0.25, 0.75]
    """
    sizes = check_attention_inputs(query, key, mask, bias)
    key = repeat_kv_heads(key, sizes["h"], "key")
    scores = einsum(query, key, "b h q d, b h k d -> b h q k")
    scores = scores / math.sqrt(sizes["d"]) if scale is None else scores * scale
    if bias is not None:
        scores = scores + bias.to(scores.dtype)
    if mask is None:
        return scores.softmax(dim=-1)
    # Softmax over nothing is 0/0. A row that sees no key goes through it unmasked and is zeroed
    # after, which keeps NaN out of the backward pass as well.
    blind = ~mask.any(dim=-1, keepdim=True)
    scores = scores.masked_fill(~(mask | blind), -math.inf)
    return scores.softmax(dim=-1).masked_fill(blind, 0.0)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    scale: float | None = None,
) -> Tensor:
    """Average the values by the attention weights: ``softmax(Q Kᵀ / sqrt(d_k) + bias) V``.

    Consecutive query heads share a key-value head. A query that sees nothing gets a zero vector.

    Args:
        query: one vector for each position that asks.
        key: one vector for each position that may answer.
        value: what each of them answers.
        mask: as in ``attention_weights``, which also says what is raised.
        bias: as there.
        scale: as there.

    Shapes:
        query ``b h q d``; key, value ``b g k d`` where ``g`` divides ``h``; mask and bias
        broadcast to ``b h q k``; returns ``b h q d``.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, eq. 1; grouped heads: Ainslie et al. 2023,
        arXiv:2305.13245.

    >>> import torch
    >>> query, value = torch.tensor([[[[1.0]]]]), torch.tensor([[[[4.0], [8.0]]]])
    >>> key = torch.tensor([[[[1.0], [3.0]]]]).log()  # weights 1/4 and 3/4
    >>> round(scaled_dot_product_attention(query, key, value).item(), 4)
    7.0
    """
    weights = attention_weights(query, key, mask, bias, scale)
    check_shape(value, "b g k d", "value", b=key.shape[0], g=key.shape[1], k=key.shape[2])
    value = repeat_kv_heads(value, query.shape[1], "value")
    return einsum(weights, value, "b h q k, b h k d -> b h q d")


def fused_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    scale: float | None = None,
) -> Tensor:
    """``scaled_dot_product_attention`` by PyTorch's fused kernels: the same results, faster.

    The weights are never held in memory, so they cannot be looked at. Shapes and errors are those
    of ``scaled_dot_product_attention``.

    >>> import torch
    >>> key = torch.tensor([[[[1.0], [3.0]]]]).log()  # weights 1/4 and 3/4
    >>> value = torch.tensor([[[[4.0], [8.0]]]])
    >>> round(fused_attention(torch.ones(1, 1, 1, 1), key, value).item(), 4)
    7.0
    """
    sizes = check_attention_inputs(query, key, mask, bias)
    check_shape(value, "b g k d", "value", b=sizes["b"], g=sizes["g"], k=sizes["k"])
    key = repeat_kv_heads(key, sizes["h"], "key")
    value = repeat_kv_heads(value, sizes["h"], "value")
    added = None if bias is None else bias.to(query.dtype)
    if mask is None:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=added, scale=scale)
    # Kernels differ on rows that see no key (zeros, NaN, the mean): never show them one.
    blind = ~mask.any(dim=-1, keepdim=True)
    if added is None and _known_false(blind):
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)
    shown = mask | blind if added is None else added.masked_fill(~(mask | blind), -math.inf)
    attended = F.scaled_dot_product_attention(query, key, value, attn_mask=shown, scale=scale)
    return attended.masked_fill(blind, 0.0)


def _known_false(flags: Tensor) -> bool:
    """Whether all are known to be false: on a CPU asking is cheap, a GPU would have to wait."""
    return flags.is_cpu and not torch.compiler.is_compiling() and not flags.any()


class Attention(nn.Module):
    """Attention with its four projections; ``attend`` does the rest.

    Queries come from ``x``. Keys and values come from ``x`` as well (self-attention), or from
    ``memory``, what an encoder made of another text (cross-attention).

    Shapes:
        x ``b q d_model``; memory ``b k d_model``; mask and bias broadcast to ``b h q k``;
        returns ``b q d_model``.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        n_kv_heads: int,
        bias: bool = False,
        attend: Attend = scaled_dot_product_attention,
        scale: float | None = None,
    ) -> None:
        super().__init__()
        check_heads(d_model, n_heads, n_kv_heads)
        self.n_heads, self.n_kv_heads = n_heads, n_kv_heads
        self.attend, self.scale = attend, scale
        d_kv = n_kv_heads * (d_model // n_heads)
        self.query = nn.Linear(d_model, d_model, bias=bias)
        self.key = nn.Linear(d_model, d_kv, bias=bias)
        self.value = nn.Linear(d_model, d_kv, bias=bias)
        self.output = nn.Linear(d_model, d_model, bias=bias)

    def heads(
        self, x: Tensor, rotate: Rotate | None = None, memory: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries ``b h q d``, keys and values ``b g k d``, with positions brought in."""
        source = x if memory is None else memory
        query = split_heads(self.query(x), self.n_heads)
        key = split_heads(self.key(source), self.n_kv_heads)
        value = split_heads(self.value(source), self.n_kv_heads)
        if rotate is not None:
            query, key = rotate(query), rotate(key)
        return query, key, value

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        rotate: Rotate | None = None,
        bias: Tensor | None = None,
        memory: Tensor | None = None,
        remember: Remember | None = None,
    ) -> Tensor:
        """Shapes: x ``b q d_model``; returns ``b q d_model``."""
        query, key, value = self.heads(x, rotate, memory)
        if remember is not None:
            key, value = remember(key, value)
        given = {k: v for k, v in (("bias", bias), ("scale", self.scale)) if v is not None}
        return self.output(merge_heads(self.attend(query, key, value, mask, **given)))
