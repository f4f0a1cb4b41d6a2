"""Where the norm of a sub-layer stands: four formulas for adding a sub-layer to the stream.

A sub-layer is a function from ``b t d`` to ``b t d``: attention, or the feed-forward layer.
Leaves out the parallel block, which is one line of ``Block``.
"""

from collections.abc import Callable

from torch import Tensor

Layer = Callable[[Tensor], Tensor]
"""A sub-layer or a norm: ``b t d`` to ``b t d``."""


def pre_norm(x: Tensor, layer: Layer, norm: Layer) -> Tensor:
    """``x + layer(norm(x))``: the stream itself is never normalised inside a block.

    Shapes:
        x ``b t d``; returns ``b t d``.

    Source:
        Xiong et al. 2020, arXiv:2002.04745, table 1 (pre-LN).

    >>> import torch
    >>> pre_norm(torch.tensor([8.0]), layer=lambda x: 10 * x, norm=lambda x: x / 8).tolist()
    [18.0]
    """
    return x + layer(norm(x))


def post_norm(x: Tensor, layer: Layer, norm: Layer, alpha: float = 1.0) -> Tensor:
    """``norm(alpha * x + layer(x))``: the first Transformer, and with ``alpha > 1`` DeepNorm.

    Shapes:
        x ``b t d``; returns ``b t d``.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.1; alpha: Wang et al. 2022,
        arXiv:2203.00555, eq. 1.

    >>> import torch
    >>> post_norm(torch.tensor([8.0]), layer=lambda x: 10 * x, norm=lambda x: x / 8).tolist()
    [11.0]
    """
    return norm(alpha * x + layer(x))


def sandwich_norm(x: Tensor, layer: Layer, norm: Layer, norm_after: Layer) -> Tensor:
    """``x + norm_after(layer(norm(x)))``: what a sub-layer adds is normalised as well.

    Shapes:
        x ``b t d``; returns ``b t d``.

    Source:
        Ding et al. 2021, arXiv:2105.13290, section 2.4.

    >>> import torch
    >>> halve, ten_times = (lambda x: x / 2), (lambda x: 10 * x)
    >>> sandwich_norm(torch.tensor([8.0]), ten_times, norm=halve, norm_after=halve).tolist()
    [28.0]
    """
    return x + norm_after(layer(norm(x)))
