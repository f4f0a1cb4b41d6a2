"""The two layers of the first Transformer as functions of plain matrices.

``Block`` is every layer of the course in one module; here are the two that began it, written as
the paper's figure reads, out of attention, feed-forward and LayerNorm. The linear maps of
attention have no bias, as in the paper's formula. Leaves out dropout.

The weights of a layer are a dictionary. ``attention``, and ``cross_attention`` in a decoder, hold
four matrices each, stacked: query, key, value, output. ``w_1, b_1, w_2, b_2`` are those of the
feed-forward layer. ``gains`` and ``shifts`` hold a row for each LayerNorm, in their order.
"""

from collections.abc import Mapping

from torch import Tensor

from llm_course.model.feed_forward import feed_forward
from llm_course.model.masks import causal_mask
from llm_course.model.multi_head import cross_attention, multi_head_attention
from llm_course.model.norms import layer_norm
from llm_course.shapes import check_shape

Weights = Mapping[str, Tensor]
"""The weights of one layer, by name."""


def encoder_layer(x: Tensor, weights: Weights, n_heads: int, mask: Tensor | None = None) -> Tensor:
    """Two sub-layers, each added to its input and normalised: ``x = norm(x + sublayer(x))``.

    With the causal mask it is the layer of a causal decoder, with a prefix mask that of a prefix
    decoder.

    Args:
        x: the input of the layer.
        weights: as the head of this file says.
        n_heads: number of heads.
        mask: bool, True = may attend; every position is visible if not given.

    Shapes:
        x ``b t d``; attention ``4 d d``; w_1 ``d f``; w_2 ``f d``; gains, shifts ``2 d``; mask
        broadcasts to ``b h t t``; returns ``b t d``.

    Raises:
        ShapeError: the sizes do not fit.
        TypeError: the mask is not bool.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.1 and figure 1, left.

    >>> import torch
    >>> quiet = {name: torch.zeros(2, 2) for name in ("w_1", "w_2", "shifts")}
    >>> quiet |= {"b_1": torch.zeros(2), "b_2": torch.zeros(2), "gains": torch.ones(2, 2)}
    >>> quiet["attention"] = torch.zeros(4, 2, 2)
    >>> y = encoder_layer(torch.tensor([[[1.0, 3.0]]]), quiet, n_heads=1)  # the norm alone
    >>> y.round(decimals=3).tolist()
    [[[-1.0, 1.0]]]
    """
    sizes = check_shape(x, "b t d", "x")
    _check_norms(weights, 2, sizes["d"])
    x = _norm(x + multi_head_attention(x, *weights["attention"], n_heads, mask), weights, 0)
    return _norm(x + _feed_forward(x, weights), weights, 1)


def decoder_layer(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    n_heads: int,
    memory_mask: Tensor | None = None,
) -> Tensor:
    """Three sub-layers: attention to the past, attention to the source, feed-forward.

    Args:
        x: the decoder's stream.
        memory: what the encoder made of the source.
        weights: as the head of this file says.
        n_heads: number of heads.
        memory_mask: bool, True = may attend: which of the memory is no padding.

    Shapes:
        x ``b t d``; memory ``b k d``; attention, cross_attention ``4 d d``; gains, shifts ``3 d``;
        memory_mask broadcasts to ``b h t k``; returns ``b t d``.

    Raises:
        ShapeError: the sizes do not fit.
        TypeError: the mask is not bool.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.1 and figure 1, right.

    >>> import torch
    >>> quiet = {name: torch.zeros(2, 2) for name in ("w_1", "w_2")}
    >>> quiet |= {"b_1": torch.zeros(2), "b_2": torch.zeros(2)}
    >>> quiet |= {"gains": torch.ones(3, 2), "shifts": torch.zeros(3, 2)}
    >>> quiet |= {name: torch.zeros(4, 2, 2) for name in ("attention", "cross_attention")}
    >>> quiet["cross_attention"][2:] = 9 * torch.eye(2)  # hands over the memory, 81 times
    >>> x, memory = torch.tensor([[[1.0, 3.0]]]), torch.tensor([[[7.0, 2.0]]])
    >>> decoder_layer(x, memory, quiet, n_heads=1).round(decimals=3).tolist()
    [[[1.0, -1.0]]]
    """
    sizes = check_shape(x, "b t d", "x")
    _check_norms(weights, 3, sizes["d"])
    mask = causal_mask(sizes["t"], device=x.device)
    x = _norm(x + multi_head_attention(x, *weights["attention"], n_heads, mask), weights, 0)
    read = cross_attention(x, memory, *weights["cross_attention"], n_heads, memory_mask)
    x = _norm(x + read, weights, 1)
    return _norm(x + _feed_forward(x, weights), weights, 2)


def _norm(x: Tensor, weights: Weights, i: int) -> Tensor:
    """The ``i``-th LayerNorm of the layer."""
    return layer_norm(x, weights["gains"][i], weights["shifts"][i])


def _feed_forward(x: Tensor, weights: Weights) -> Tensor:
    return feed_forward(x, *(weights[name] for name in ("w_1", "b_1", "w_2", "b_2")))


def _check_norms(weights: Weights, n: int, d: int) -> None:
    """A gain and a shift for each sub-layer."""
    for name in ("gains", "shifts"):
        check_shape(weights[name], "n d", name, n=n, d=d)
