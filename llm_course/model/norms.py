"""LayerNorm and RMSNorm: the functions, and the modules that hold their weights.

Both compute in fp32 when the input is narrower (fp16, bf16), as the published models do: the mean
of a thousand squares does not fit in eight bits of mantissa. Where a norm is placed (before,
after or around a sub-layer) is the block's choice, not the norm's.
"""

import torch
from torch import Tensor, nn


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Centre and scale every token's features: ``weight * (x - mean) / sqrt(var + eps) + bias``.

    Mean and variance are over the last axis; the variance divides by ``d``, not ``d - 1``.

    Shapes:
        x ``... d``; weight, bias ``d``; returns ``... d``.

    Source:
        Ba et al. 2016, arXiv:1607.06450, eq. 3 and 4.

    >>> layer_norm(torch.tensor([1.0, 3.0]), torch.ones(2), torch.zeros(2), eps=0.0).tolist()
    [-1.0, 1.0]
    """
    wide = x.to(_wide(x))
    centred = wide - wide.mean(dim=-1, keepdim=True)
    variance = centred.square().mean(dim=-1, keepdim=True)
    return (centred * torch.rsqrt(variance + eps) * weight + bias).to(x.dtype)


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-5) -> Tensor:
    """Scale by the root mean square of each token: ``weight * x / sqrt(mean(x²) + eps)``.

    The normalised values are rounded to the input's dtype before the weight multiplies them,
    which is Llama's order of operations.

    Shapes:
        x ``... d``; weight ``d``; returns ``... d``.

    Source:
        Zhang and Sennrich 2019, arXiv:1910.07467, eq. 4.

    >>> rms_norm(torch.tensor([1.0, 7.0]), torch.ones(2), eps=0.0).tolist()  # sqrt(50 / 2) = 5
    [0.20000000298023224, 1.399999976158142]
    """
    wide = x.to(_wide(x))
    scaled = wide * torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + eps)
    return weight * scaled.to(x.dtype)


def _wide(x: Tensor) -> torch.dtype:
    """The dtype the statistics are computed in: at least fp32."""
    return torch.promote_types(x.dtype, torch.float32)


class LayerNorm(nn.Module):
    """``layer_norm`` with its weight (ones at first) and bias (zeros at first)."""

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: x ``... d``; returns ``... d``."""
        return layer_norm(x, self.weight, self.bias, self.eps)


class RMSNorm(nn.Module):
    """``rms_norm`` with its weight (ones at first)."""

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: x ``... d``; returns ``... d``."""
        return rms_norm(x, self.weight, self.eps)


NORMS: dict[str, type[LayerNorm] | type[RMSNorm]] = {
    "layer_norm": LayerNorm,
    "rms_norm": RMSNorm,
}
"""The class for each value of ``DecoderConfig.norm``."""
