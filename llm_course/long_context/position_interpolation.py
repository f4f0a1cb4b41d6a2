"""Position interpolation: a long text is squeezed into the positions that the model knows.

A model that was trained on ``L`` positions has never seen an angle that belongs to position
``L + 1``. Interpolation gives it ``L'`` positions by multiplying each by ``L / L'``: none lies
outside what it knows, they only lie closer together. Dividing the frequencies by ``L' / L`` turns
every pair by the same angle, and is the better way to compute it: the division rounds once, for all
positions alike, while a position such as 32,767 / 16 keeps its rounding error times its frequency.
"""

from einops import rearrange
from torch import Tensor

from llm_course.model.positions import rope_frequencies


def stretch_factor(original: int, target: int) -> float:
    """How many times longer the text becomes: ``target / original``, the deck's ``L' / L``.

    Args:
        original: tokens of the longest text that the model was trained on.
        target: tokens of the longest text that it is to read.

    Raises:
        ValueError: a length is not positive, or the target is the shorter one.

    >>> stretch_factor(2048, 8192)
    4.0
    """
    if original < 1:
        raise ValueError(f"original: expected a positive number of tokens, got {original}.")
    if target < original:
        raise ValueError(
            f"target: expected at least original={original}, got {target}. "
            "Fix: a shorter text needs no stretching; swap the two if they are interchanged."
        )
    return target / original


def interpolate_positions(positions: Tensor, original: int, target: int) -> Tensor:
    """Positions of a text of ``target`` tokens, within the ``original`` ones: ``p * L / L'``.

    Shapes:
        positions of any shape, integers or floats; returns the same shape, floats.

    Raises:
        ValueError: the target is shorter than the original.

    Source:
        Chen et al. 2023, arXiv:2306.15595, eq. 3.

    >>> import torch
    >>> interpolate_positions(torch.arange(5), original=2, target=4).tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0]
    """
    return positions / stretch_factor(original, target)


def interpolated_angles(
    positions: Tensor, frequencies: Tensor, original: int, target: int
) -> Tensor:
    """The angle by which RoPE turns each pair at each position: ``p * L / L' * frequency``.

    Shapes:
        positions ``t``, frequencies ``d/2``; returns ``t d/2``.

    Raises:
        ValueError: the target is shorter than the original.

    Source:
        Chen et al. 2023, arXiv:2306.15595, eq. 3 and 4.

    >>> import torch
    >>> interpolated_angles(torch.arange(3), torch.tensor([1.0, 0.5]), original=2, target=4)
    tensor([[0.0000, 0.0000],
            [0.5000, 0.2500],
            [1.0000, 0.5000]])
    """
    squeezed = frequencies / stretch_factor(original, target)  # rounded once for all positions
    return rearrange(positions, "t -> t 1") * squeezed


def interpolated_frequencies(d_head: int, factor: float, base: float = 10_000.0) -> Tensor:
    """The frequencies of RoPE, each divided by the factor ``L' / L``.

    ``frequency_i = base ** (-2i / d_head) / factor``

    Args:
        d_head: features of a head.
        factor: how many times longer the text becomes (``stretch_factor``).
        base: of the frequencies.

    Shapes:
        returns ``d_head/2``, fp32.

    Raises:
        ValueError: ``d_head`` is odd, or the factor is below 1.

    Source:
        Chen et al. 2023, arXiv:2306.15595, eq. 3 and 4.

    >>> interpolated_frequencies(4, factor=4.0, base=16.0).tolist()
    [0.25, 0.0625]
    """
    check_factor(factor)
    return rope_frequencies(d_head, base) / factor


def check_factor(factor: float) -> None:
    """Refuse a factor that would shorten the context, and NaN.

    >>> check_factor(0.5)
    Traceback (most recent call last):
    ...
    ValueError: factor: expected 1 or more (target / original), got 0.5.
    """
    if not factor >= 1:
        raise ValueError(f"factor: expected 1 or more (target / original), got {factor}.")
