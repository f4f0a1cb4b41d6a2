"""Mixing weights: the share of each source, from how much of it there is.

A size may be counted in examples, documents or tokens; the weights come out in the same unit.
Leaves out weights that follow the losses: ``llm_course.data.curriculum.adapting``.
"""

import math
from collections.abc import Mapping

Weights = dict[str, float]
"""The share of each source; the shares add up to 1."""


def proportional(sizes: Mapping[str, float]) -> Weights:
    """Each source by its size: ``w_i = n_i / Σ_j n_j``. Every example is as likely as another.

    Args:
        sizes: how much there is of each source.

    Raises:
        ValueError: there is no source, or a size is not a positive number.

    >>> proportional({"web": 6, "code": 2})
    {'web': 0.75, 'code': 0.25}
    """
    check_sizes(sizes)
    total = math.fsum(sizes.values())
    return {name: size / total for name, size in sizes.items()}


def temperature(sizes: Mapping[str, float], temperature: float) -> Weights:
    """Proportions flattened by a temperature: ``w_i ∝ (n_i / Σ_j n_j)^(1/T)``.

    ``T = 1`` is proportional; as ``T`` grows the sources become equal. Multilingual models state
    the exponent ``1/T`` instead: 0.7 for mBERT, 0.3 for XLM-R.

    Args:
        sizes: how much there is of each source.
        temperature: T; ``math.inf`` makes all sources equal.

    Raises:
        ValueError: a size or the temperature is not positive.

    Source:
        Raffel et al. 2020, arXiv:1910.10683, section 3.5.2 ("temperature-scaled mixing").

    >>> weights = temperature({"en": 9, "fr": 1}, temperature=2)  # √9 : √1
    >>> round(weights["en"], 12), round(weights["fr"], 12)
    (0.75, 0.25)
    """
    if not temperature > 0:
        raise ValueError(f"temperature: expected a positive number, got {temperature!r}.")
    logs = {name: math.log(share) / temperature for name, share in proportional(sizes).items()}
    largest = max(logs.values())  # subtracted, so that a low temperature does not underflow
    return proportional({name: _exp(log - largest) for name, log in logs.items()})


def capped(sizes: Mapping[str, float], cap: float) -> Weights:
    """Examples-proportional mixing with a cap: ``w_i = min(n_i, K) / Σ_j min(n_j, K)``.

    A source larger than the cap counts as if it had the cap's size, so that it does not drown
    the small ones.

    Args:
        sizes: how much there is of each source.
        cap: K, in the unit of the sizes.

    Raises:
        ValueError: a size or the cap is not positive.

    Source:
        Raffel et al. 2020, arXiv:1910.10683, section 3.5.2 ("examples-proportional mixing").

    >>> capped({"translation": 1_000, "questions": 30, "entailment": 10}, cap=60)
    {'translation': 0.6, 'questions': 0.3, 'entailment': 0.1}
    """
    if not cap > 0:
        raise ValueError(f"cap: expected a positive number, got {cap!r}.")
    check_sizes(sizes)
    return proportional({name: min(size, cap) for name, size in sizes.items()})


def check_sizes(sizes: Mapping[str, float]) -> None:
    """Refuse sizes from which no weights can be made.

    Raises:
        ValueError: there is no source, or a size is not a positive, finite number.
    """
    if not sizes:
        raise ValueError("sizes: expected at least one source, got none.")
    for name, size in sizes.items():
        if not 0 < size < math.inf:
            raise ValueError(
                f"sizes: expected positive numbers, got {size!r} for {name!r}. "
                "Fix: leave out what is empty."
            )


def check_weights(weights: Mapping[str, float]) -> None:
    """Refuse weights that are no shares: negative ones, or a sum that is not 1.

    Raises:
        ValueError: there is no source, a weight is negative, or they do not add up to 1.

    >>> check_weights({"web": 0.5, "code": 0.4})
    Traceback (most recent call last):
    ...
    ValueError: weights: expected shares that add up to 1, got a sum of 0.9. Fix: proportional(...)
    """
    if not weights:
        raise ValueError("weights: expected at least one source, got none.")
    for name, weight in weights.items():
        if not 0 <= weight <= 1 + 1e-9:
            raise ValueError(f"weights: expected shares of 0 to 1, got {weight!r} for {name!r}.")
    total = math.fsum(weights.values())
    if abs(total - 1) > 1e-9:
        raise ValueError(
            f"weights: expected shares that add up to 1, got a sum of {total:g}. "
            "Fix: proportional(...)"
        )


def _exp(log: float) -> float:
    """``exp``, and the smallest positive number where that would be 0."""
    return max(math.exp(log), 5e-324)
