"""Intervals for the shares and means that a notebook measures.

Leaves out comparisons of several methods; a chapter that ranks methods says how it corrects.
"""

import math
from statistics import NormalDist


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval for a share of `successes` among `n` independent trials.

    ``(p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)`` with ``p = successes / n``. Unlike
    ``p ± z sqrt(p(1-p)/n)`` it stays inside 0 to 1 and has a width even when every trial agrees.

    Raises:
        ValueError: `n` is not positive, or `successes` is not between 0 and `n`.

    Source:
        Wilson 1927, Journal of the American Statistical Association 22, 209-212.

    >>> [round(end, 3) for end in wilson_interval(10, 10)]
    [0.722, 1.0]
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"successes: expected 0 to n with n ≥ 1, got {successes} of {n}.")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p = successes / n
    centre = p + z**2 / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
