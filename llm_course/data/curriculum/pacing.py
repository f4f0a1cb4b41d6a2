"""Pace: how much of the ordered data is released at each step, and a draw from what is.

Early steps see the easy part alone; the released part grows until everything is in play.
"""

import math

import numpy as np

from llm_course.data.mixture.chance import uniform


def competence(step: int, n_steps: int, start: float = 0.1, power: float = 2.0) -> float:
    """The share of the data that is released: ``c(t) = min(1, (t/T (1 - c₀^p) + c₀^p)^(1/p))``.

    With ``p = 1`` new documents come at a constant rate; with ``p = 2`` the rate falls as more
    are there, so that each new one is seen about equally often.

    Args:
        step: t, from 0.
        n_steps: T, the step at which everything is released.
        start: c₀, the share that is there at first.
        power: p.

    Raises:
        ValueError: a number is out of range.

    Source:
        Platanios et al. 2019, arXiv:1903.09848, equations 7 and 8.

    >>> [competence(step, n_steps=4, start=0.5, power=1) for step in (0, 2, 4, 9)]
    [0.5, 0.75, 1.0, 1.0]
    """
    if step < 0 or n_steps < 1:
        raise ValueError(f"step, n_steps: expected at least 0 and 1, got {step} and {n_steps}.")
    if not 0 < start <= 1 or not 0 < power < math.inf:
        raise ValueError(
            f"start, power: expected 0 < start <= 1 and power > 0, got {start} and {power}."
        )
    if step >= n_steps:
        return 1.0
    lowest = start**power
    return min(1.0, (step / n_steps * (1 - lowest) + lowest) ** (1 / power))


def n_released(share: float, n: int) -> int:
    """How many of ``n`` ordered documents a share is: rounded up, so that one is always there.

    >>> n_released(0.5, 5), n_released(1e-9, 5)
    (3, 1)
    """
    return min(n, max(1, math.ceil(share * n - 1e-9)))


def paced_draw(
    order: np.ndarray,
    step: int,
    n_steps: int,
    seed: int,
    start: float = 0.1,
    power: float = 2.0,
) -> int:
    """The document of a step: uniform over those that are released, a function of the step alone.

    Args:
        order: the documents from easy to hard (``by_difficulty``).
        step: which step, from 0.
        n_steps: the step at which everything is released.
        seed: of the draws.
        start: the share that is there at first.
        power: the shape of the pace (``competence``).

    Shapes:
        order ``n``.

    Raises:
        ValueError: there is no document, or a number is out of range.

    >>> paced_draw(np.array([7, 3, 5]), step=0, n_steps=10, seed=0)  # the easiest alone
    7
    """
    if len(order) == 0:
        raise ValueError("order: expected at least one document, got none.")
    n = n_released(competence(step, n_steps, start, power), len(order))
    return int(order[int(uniform(seed, "curriculum", step) * n)])
