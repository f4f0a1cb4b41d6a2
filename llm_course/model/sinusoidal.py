"""Sinusoidal positions: sines and cosines of the position, added to the token embeddings.

Each pair of features turns like a clock hand, the first fast, the last slowly; together they name
the position. Nothing is learned, and any position has a value.
"""

import torch
from einops import rearrange
from torch import Tensor

from llm_course.model.positions import rope_angles, rope_frequencies


def sinusoidal_positions(positions: Tensor, d_model: int, base: float = 10_000.0) -> Tensor:
    """The vector of each position, to be added to the token's.

    ``p[2i] = sin(position / base ** (2i / d_model))`` and ``p[2i + 1] = cos(...)`` of the same.
    The angles are those by which RoPE turns queries and keys.

    Shapes:
        positions ``t``; returns ``t d_model``, fp32.

    Raises:
        ValueError: ``d_model`` is not a positive even number.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.5.

    >>> sinusoidal_positions(torch.tensor([0, 1]), 2).round(decimals=4).tolist()
    [[0.0, 1.0], [0.8414999842643738, 0.5403000116348267]]
    """
    if d_model < 2 or d_model % 2:
        raise ValueError(f"d_model: expected a positive even number, got {d_model}.")
    cosine, sine = rope_angles(positions, rope_frequencies(d_model, base, positions.device))
    return rearrange(torch.stack([sine, cosine], dim=-1), "t d two -> t (d two)")
