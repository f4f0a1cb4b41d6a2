"""Whole steps of sampling as one function each, on plain tensors.

The chapter's exercises build these; ``SamplingConfig`` puts the same parts together in any way.
"""

from torch import Tensor

from llm_course.decoding.filters import apply_temperature, keep_min_p, keep_top_k
from llm_course.decoding.sampling import locate
from llm_course.shapes import check_shape


def temperature_top_k(logits: Tensor, temperature: float, k: int) -> Tensor:
    """Probabilities of the next token after temperature and top-k.

    Args:
        logits: of the next token.
        temperature: what they are divided by.
        k: how many of the likeliest are kept; more than there are keeps all.

    Shapes:
        logits ``... v``; returns ``... v``, each row sums to 1.

    Raises:
        ValueError: the temperature is not positive, or ``k`` is below 1.

    Source:
        Fan et al. 2018, arXiv:1805.04833, section 5.4.

    >>> import torch
    >>> temperature_top_k(torch.tensor([0.2, 0.6, 0.3]).log(), 0.5, k=2).mul(5).round().tolist()
    [0.0, 4.0, 1.0]
    """
    return keep_top_k(apply_temperature(logits, temperature), k).softmax(dim=-1)


def draw_min_p(logits: Tensor, temperature: float, p: float, uniform: Tensor) -> Tensor:
    """Draw one token a row after temperature and min-p, by given uniform numbers.

    Args:
        logits: of the next token.
        temperature: what they are divided by.
        p: the least probability that is kept, as a share of the highest.
        uniform: one number a row, from 0 to below 1.

    Shapes:
        logits ``b v``, uniform ``b``; returns ``b``.

    Raises:
        ValueError: the temperature is not positive, or ``p`` is outside [0, 1].
        ShapeError: the numbers are not one a row.

    Source:
        Nguyen et al. 2024, arXiv:2407.01082, section 3.

    >>> import torch
    >>> draw_min_p(torch.tensor([[0.1, 0.6, 0.3]]).log(), 1.0, 0.4, torch.tensor([0.5])).tolist()
    [1]
    """
    check_shape(logits, "b v", "logits")
    check_shape(uniform, "b", "uniform", b=len(logits))
    kept = keep_min_p(apply_temperature(logits.double(), temperature), p)
    return locate(kept.softmax(dim=-1), uniform)
