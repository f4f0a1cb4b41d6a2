"""Filters: what random sampling does to the logits before it draws.

Each is a pure function from logits to logits, over any leading axes. A token that is filtered out
gets minus infinity, so that its probability is exactly zero and filters can follow one another.
None of them knows a model. What depends on the tokens so far is in ``penalties.py``.
"""

import math

import torch
from torch import Tensor


def apply_temperature(logits: Tensor, temperature: float) -> Tensor:
    """Divide the logits: below 1 the distribution is sharper, above 1 flatter.

    ``p_i = exp(l_i / T) / sum_j exp(l_j / T)``: the ratio of two probabilities is raised to the
    power ``1 / T``.

    Args:
        logits: of the next token.
        temperature: ``T``. Zero, the limit in which only the likeliest token is left, is no
            division; ``SamplingConfig(temperature=0)`` is greedy search.

    Shapes:
        logits ``... v``; returns ``... v``.

    Raises:
        ValueError: the temperature is not a positive number.

    Source:
        Ackley et al. 1985, Cognitive Science 9(1), eq. 5; Hinton et al. 2015, arXiv:1503.02531,
        eq. 1.

    >>> logits = torch.tensor([0.1, 0.3, 0.6]).log()
    >>> apply_temperature(logits, 0.5).softmax(-1).mul(46).round().tolist()  # 1 : 9 : 36
    [1.0, 9.0, 36.0]
    """
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature: expected a positive number, got {temperature}.")
    return logits / temperature


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """Keep the ``k`` likeliest tokens; those that tie with the last of them stay as well.

    Args:
        logits: of the next token.
        k: how many are kept; more than there are keeps all.

    Shapes:
        logits ``... v``; returns ``... v``.

    Raises:
        ValueError: ``k`` is below 1.

    Source:
        Fan et al. 2018, arXiv:1805.04833, section 5.4.

    >>> keep_top_k(torch.tensor([3.0, 1.0, 2.0]), k=2).tolist()
    [3.0, -inf, 2.0]
    """
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}.")
    kth = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(logits < kth, -math.inf)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the nucleus: the fewest likeliest tokens whose probabilities sum to ``p`` or more.

    The least likely tokens are removed as long as all that is removed sums to at most ``1 - p``.

    Args:
        logits: of the next token.
        p: how much probability is kept at least.

    Shapes:
        logits ``... v``; returns ``... v``.

    Raises:
        ValueError: ``p`` is outside (0, 1].

    Source:
        Holtzman et al. 2020, arXiv:1904.09751, eq. 2.

    >>> logits = torch.tensor([0.5, 0.3, 0.2]).log()
    >>> keep_top_p(logits, p=0.6).isfinite().tolist()  # 0.5 is too little, 0.5 + 0.3 is enough
    [True, True, False]
    """
    check_share("p", p)
    ascending, order = logits.sort(dim=-1)
    removed = ascending.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
    removed[..., -1] = False  # the likeliest stays, however small p is
    return _remove(logits, removed, order)


def keep_min_p(logits: Tensor, p: float) -> Tensor:
    """Keep the tokens that are at least ``p`` times as likely as the likeliest.

    Args:
        logits: of the next token.
        p: the share of the highest probability; 0 keeps all, 1 only the likeliest.

    Shapes:
        logits ``... v``; returns ``... v``.

    Raises:
        ValueError: ``p`` is outside [0, 1].

    Source:
        Nguyen et al. 2024, arXiv:2407.01082, section 3.

    >>> logits = torch.tensor([0.5, 0.3, 0.2]).log()
    >>> keep_min_p(logits, p=0.5).isfinite().tolist()  # at least 0.25
    [True, True, False]
    """
    if not 0 <= p <= 1:
        raise ValueError(f"p: expected a number from 0 to 1, got {p}.")
    probabilities = logits.softmax(dim=-1)
    highest = probabilities.amax(dim=-1, keepdim=True)
    return logits.masked_fill(probabilities < p * highest, -math.inf)


def keep_typical(logits: Tensor, p: float) -> Tensor:
    """Keep the tokens whose surprise is closest to the expected one, until they sum to ``p``.

    The surprise of a token is ``-log p_i``, the expected one the entropy ``H``. Tokens are ranked
    by ``|-log p_i - H|``: one that is much too likely goes as well as one that is too unlikely.

    Args:
        logits: of the next token.
        p: how much probability is kept at least.

    Shapes:
        logits ``... v``; returns ``... v``.

    Raises:
        ValueError: ``p`` is outside (0, 1].

    Source:
        Meister et al. 2023, arXiv:2202.00666, section 4.

    >>> logits = torch.tensor([0.4, 0.2, 0.2, 0.2]).log()  # 1.32, 2.32, ... bits; entropy 1.92
    >>> keep_typical(logits, p=0.5).isfinite().tolist()  # the likeliest is the least typical
    [False, True, True, True]
    """
    check_share("p", p)
    log_p = logits.log_softmax(dim=-1)
    # A token that another filter removed has p = 0 and log p = -inf; it adds nothing.
    entropy = -(log_p.exp() * log_p).nansum(dim=-1, keepdim=True)
    distance, order = (-log_p - entropy).abs().sort(dim=-1)
    mass = log_p.gather(-1, order).exp().cumsum(dim=-1)
    # The first place at which the mass reaches p; the rounded mass of all may stay below p = 1.
    last = (mass < p).sum(dim=-1, keepdim=True).clamp(max=logits.shape[-1] - 1)
    return _remove(logits, distance > distance.gather(-1, last), order)


def check_share(name: str, p: float) -> None:
    """Refuse what is no share of the probability that something is left of.

    >>> check_share("top_p", 0.0)
    Traceback (most recent call last):
    ...
    ValueError: top_p: expected a number above 0 and at most 1, got 0.0. Fix: 1 keeps every token.
    """
    if not 0 < p <= 1:
        raise ValueError(
            f"{name}: expected a number above 0 and at most 1, got {p}. Fix: 1 keeps every token."
        )


def _remove(logits: Tensor, removed: Tensor, order: Tensor) -> Tensor:
    """Minus infinity for the tokens that were marked in sorted order."""
    marked = torch.zeros_like(removed).scatter(-1, order, removed)
    return logits.masked_fill(marked, -math.inf)
