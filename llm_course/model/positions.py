"""Rotary positions (RoPE): a query or key is turned by an angle that grows with its position.

Features are taken in pairs; pair ``i`` of a vector at position ``p`` is rotated by
``p * base ** (-2i / d_head)``. Two published pairings exist and weights trained with one fail
silently with the other, so here the pairing is always named:

- ``interleaved``: neighbours, (0, 1), (2, 3), ... (the paper, GPT-J, GGUF files of Llama models);
- ``half_split``: ``i`` with ``i + d_head / 2`` (GPT-NeoX, Hugging Face's Llama).

Leaves out the rescaling of frequencies for longer contexts: ``long_context`` computes those, and
a config carries them (``PositionOptions.rope_frequencies``).
"""

import torch
from einops import rearrange, repeat
from torch import Tensor

from llm_course.model.config_parts import RopePairing
from llm_course.shapes import check_shape

# How the last axis is made of pairs, as an einops axis: which of the two indices runs fastest.
_PAIRS = {"interleaved": "(d two)", "half_split": "(two d)"}
_TWO = {"interleaved": -1, "half_split": -2}  # where that axis of two stands


def rope_frequencies(
    d_head: int, base: float | Tensor = 10_000.0, device: torch.device | str | None = None
) -> Tensor:
    """The angle, in radians a position, by which each pair of features turns.

    ``frequency_i = base ** (-2i / d_head)`` for ``i = 0 .. d_head/2 - 1``: the first pair turns by
    one radian a token, the last almost not at all.

    Shapes:
        returns ``d_head/2``, fp32.

    Raises:
        ValueError: ``d_head`` is not a positive even number.

    Source:
        Su et al. 2021, arXiv:2104.09864, section 3.2.2 (the ``Theta`` of eq. 15).

    >>> rope_frequencies(4, base=100.0).tolist()
    [1.0, 0.10000000149011612]
    """
    if d_head < 2 or d_head % 2:
        raise ValueError(f"d_head: expected a positive even number for RoPE, got {d_head}.")
    exponents = torch.arange(0, d_head, 2, device=device).float() / d_head
    return 1.0 / base**exponents


def rope_angles(
    positions: Tensor, inverse_frequencies: Tensor, magnitude: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Cosine and sine of every angle ``position * frequency``, computed once for all layers.

    Both are multiplied by the magnitude: with it queries and keys grow, and scores by its square.

    Shapes:
        positions ``t`` or ``b t``; inverse_frequencies ``d_head/2``; returns two tensors
        ``t d_head/2`` or ``b 1 t d_head/2``, which broadcast over heads.

    >>> cosine, sine = rope_angles(torch.tensor([0, 1]), torch.tensor([torch.pi / 2]))
    >>> cosine.round(decimals=4).abs().tolist(), sine.tolist()
    ([[1.0], [0.0]], [[0.0], [1.0]])
    """
    angles = positions.unsqueeze(-1).to(inverse_frequencies.dtype) * inverse_frequencies
    if positions.dim() == 2:
        angles = rearrange(angles, "b t d -> b 1 t d")
    if magnitude == 1.0:
        return angles.cos(), angles.sin()
    return angles.cos() * magnitude, angles.sin() * magnitude


def turn(x: Tensor, cosine: Tensor, sine: Tensor, pairing: RopePairing) -> Tensor:
    """Rotate each pair of features by the given angles.

    ``(x1, x2) -> (x1 cos - x2 sin, x2 cos + x1 sin)``

    Shapes:
        x ``b h t d_head``; cosine, sine broadcast to ``b h t d_head/2``; returns as x.

    Raises:
        ValueError: the pairing is unknown.
        ShapeError: the number of angles is not ``d_head/2``.

    >>> quarter = torch.tensor([0.0]), torch.tensor([1.0])  # cosine and sine of 90 degrees
    >>> turn(torch.tensor([[[[3.0, 4.0]]]]), *quarter, pairing="interleaved").tolist()
    [[[[-4.0, 3.0]]]]
    """
    return turn_features(x, for_features(cosine, pairing), for_features(sine, pairing), pairing)


def turn_features(x: Tensor, cosine: Tensor, sine: Tensor, pairing: RopePairing) -> Tensor:
    """``turn`` with a cosine and a sine for each feature, made once for all layers.

    Shapes:
        x ``b h t d_head``; cosine, sine broadcast to it; returns as x.

    Raises:
        ValueError: the pairing is unknown.
        ShapeError: the number of angles is not ``d_head``.

    >>> quarter = torch.tensor([0.0, 0.0]), torch.tensor([1.0, 1.0])
    >>> turn_features(torch.tensor([[[[3.0, 4.0]]]]), *quarter, pairing="half_split").tolist()
    [[[[-4.0, 3.0]]]]
    """
    _check_pairing(pairing)
    check_shape(x, "... t d", "x", d=cosine.shape[-1])
    # ... (two d) -> ... two d, or ... (d two) -> ... d two; plain, for the speed of decoding
    sizes = (2, -1) if pairing == "half_split" else (-1, 2)
    first, second = x.unflatten(-1, sizes).unbind(_TWO[pairing])
    quarter = torch.stack((-second, first), dim=_TWO[pairing]).flatten(-2)  # turned by 90 degrees
    return x * cosine.to(x.dtype) + quarter * sine.to(x.dtype)


def for_features(angle: Tensor, pairing: RopePairing) -> Tensor:
    """One number for each pair as one for each feature: both of a pair turn alike.

    Shapes:
        angle ``... d_head/2``; returns ``... d_head``.

    Raises:
        ValueError: the pairing is unknown.

    >>> for_features(torch.tensor([1, 2]), "interleaved").tolist()
    [1, 1, 2, 2]
    >>> for_features(torch.tensor([1, 2]), "half_split").tolist()
    [1, 2, 1, 2]
    """
    _check_pairing(pairing)
    return repeat(angle, f"... d -> ... {_PAIRS[pairing]}", two=2)


def _check_pairing(pairing: str) -> None:
    if pairing not in _PAIRS:
        raise ValueError(f"pairing: expected one of {', '.join(_PAIRS)}, got {pairing!r}.")


def rotate(
    x: Tensor, positions: Tensor, inverse_frequencies: Tensor, pairing: RopePairing
) -> Tensor:
    """Rotary position embedding of queries or keys.

    After it, the score of a query at position ``m`` and a key at ``n`` depends on ``m - n`` only.

    Args:
        x: queries or keys, split into heads.
        positions: the position of each token; the same for all sequences, or one row for each.
        inverse_frequencies: radians a position, for each pair (``rope_frequencies``).
        pairing: which features rotate together.

    Shapes:
        x ``b h t d_head``; positions ``t`` or ``b t``; inverse_frequencies ``d_head/2``;
        returns ``b h t d_head``.

    Raises:
        ValueError: the pairing is unknown.
        ShapeError: the sizes do not fit.

    Source:
        Su et al. 2021, arXiv:2104.09864, eq. 34.

    >>> x = torch.tensor([[[[3.0, 4.0]]]])
    >>> at_position_1 = torch.tensor([1])
    >>> quarter_turn = torch.tensor([torch.pi / 2])
    >>> rotate(x, at_position_1, quarter_turn, "half_split").round(decimals=4).tolist()
    [[[[-4.0, 3.0]]]]
    """
    return turn(x, *rope_angles(positions, inverse_frequencies), pairing)


def interleaved_to_half_split(projection: Tensor, n_heads: int) -> Tensor:
    """Reorder a query or key projection made for one pairing so that it works with the other.

    A dot product does not care in which order features are listed, as long as queries and keys
    agree. So the rows of both projections (weight, and bias if there is one) are reordered within
    each head, and the scores come out the same.

    Args:
        projection: weight (one row for each output feature) or bias.
        n_heads: heads in it: ``n_heads`` for the query, ``n_kv_heads`` for the key.

    Shapes:
        projection ``(h d_head) ...``; returns the same shape.

    >>> interleaved_to_half_split(torch.arange(8), n_heads=2).tolist()
    [0, 2, 1, 3, 4, 6, 5, 7]
    """
    return rearrange(projection, "(h d two) ... -> (h two d) ...", h=n_heads, two=2)


def half_split_to_interleaved(projection: Tensor, n_heads: int) -> Tensor:
    """The inverse of ``interleaved_to_half_split``.

    >>> half_split_to_interleaved(torch.tensor([0, 2, 4, 1, 3, 5]), n_heads=1).tolist()
    [0, 1, 2, 3, 4, 5]
    """
    return rearrange(projection, "(h two d) ... -> (h d two) ...", h=n_heads, two=2)
