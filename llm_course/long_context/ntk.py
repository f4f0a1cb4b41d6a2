"""NTK-aware scaling: a larger base slows the slow pairs down and leaves the fast ones alone.

Interpolation slows all pairs alike, so that neighbours, which the fast pairs tell apart, come to
look the same. With a larger base the first pair keeps its frequency and the last one is divided by
the factor, exactly as in interpolation; those between go over smoothly. *Dynamic* scaling takes the
factor that the text at hand needs, so that a short text is read as before.
"""

import torch
from torch import Tensor

from llm_course.long_context.position_interpolation import check_factor
from llm_course.model.positions import rope_frequencies


def ntk_frequencies(d_head: int, factor: float | Tensor, base: float = 10_000.0) -> Tensor:
    """The frequencies of RoPE with the base ``base * factor ** (d_head / (d_head - 2))``.

    The last pair, ``i = d_head/2 - 1``, comes out as ``base ** (-2i / d_head) / factor``.

    Args:
        d_head: features of a head, at least 4: with one pair there is no last that is not first.
        factor: how many times longer the text becomes.
        base: of the frequencies that the model was trained with.

    Shapes:
        returns ``d_head/2``, fp32.

    Raises:
        ValueError: ``d_head`` is odd or below 4, or the factor is below 1.

    Source:
        Peng et al. 2023, arXiv:2309.00071, definition 1 (section 3.1).

    >>> [round(frequency, 4) for frequency in ntk_frequencies(4, factor=4.0, base=16.0).tolist()]
    [1.0, 0.0625]
    """
    if d_head < 4:
        raise ValueError(f"d_head: expected at least 4 for a larger base, got {d_head}.")
    check_factor(float(factor))
    return rope_frequencies(d_head, base * factor ** (d_head / (d_head - 2)))


def dynamic_ntk_frequencies(
    d_head: int, factor: float, original: int, n_tokens: int, base: float = 10_000.0
) -> Tensor:
    """NTK-aware frequencies for a text of ``n_tokens``, those of the training up to ``original``.

    The factor of the text is ``factor * n / L - (factor - 1)`` with ``n = max(n_tokens, L)``: 1 at
    the trained length, ``factor²- factor + 1`` at ``factor`` times that.

    Args:
        d_head: features of a head, at least 4.
        factor: how steeply the scaling grows with the text.
        original: tokens of the longest text that the model was trained on.
        n_tokens: tokens of this text.
        base: of the frequencies that the model was trained with.

    Shapes:
        returns ``d_head/2``, fp32.

    Raises:
        ValueError: a size is out of range.

    Source:
        Peng et al. 2023, arXiv:2309.00071, section 3.3 (dynamic scaling); the factor's formula is
        that of Transformers' ``dynamic``.

    >>> dynamic_ntk_frequencies(4, 2.0, original=8, n_tokens=5, base=16.0).tolist()
    [1.0, 0.25]
    >>> round(dynamic_ntk_frequencies(4, 2.0, original=8, n_tokens=12, base=16.0)[1].item(), 4)
    0.125
    """
    check_factor(factor)
    for name, size in {"original": original, "n_tokens": n_tokens}.items():
        if size < 1:
            raise ValueError(f"{name}: expected a positive number of tokens, got {size}.")
    # As a tensor, and so in fp32: Transformers reads the length from the positions.
    length = torch.tensor(max(n_tokens, original))
    return ntk_frequencies(d_head, factor * length / original - (factor - 1), base)
