"""Sinusoidal positions: each position is a vector of sines and cosines, added to the token's.

Each pair of features turns at its own speed, from one radian a token to one in ten thousand.
Nothing is learned.
"""

import torch
from einops import rearrange
from torch import Tensor


def sinusoidal_positions(positions: Tensor, d_model: int, base: float = 10_000.0) -> Tensor:
    """The vectors of the given positions.

    ``PE(p, 2i) = sin(p / base ** (2i / d_model))``, ``PE(p, 2i + 1) = cos`` of the same angle:
    sine and cosine are neighbours.

    Args:
        positions: the position of each token.
        d_model: features of the vectors, an even number.
        base: the slowest pair turns by about ``1 / base`` radians a token.

    Shapes:
        positions ``...``; returns ``... d_model``, fp32.

    Raises:
        ValueError: ``d_model`` is not a positive even number.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.5.

    >>> sinusoidal_positions(torch.tensor([0, 1]), d_model=2).round(decimals=4).tolist()
    [[0.0, 1.0], [0.8414999842643738, 0.5403000116348267]]
    """
    if d_model < 2 or d_model % 2:
        raise ValueError(
            f"d_model: expected a positive even number for sinusoidal positions, got {d_model}."
        )
    exponents = torch.arange(0, d_model, 2, device=positions.device).double() / d_model
    # In fp64, then rounded: at position 10,000 an fp32 angle is off by a thousandth.
    angles = positions.unsqueeze(-1) * base**-exponents
    pairs = torch.stack([angles.sin(), angles.cos()], dim=-1)
    return rearrange(pairs, "... d two -> ... (d two)").float()
