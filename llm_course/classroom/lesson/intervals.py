"""Intervals for the shares and means that a notebook measures.

Leaves out comparisons of several methods; a chapter that ranks methods says how it corrects.
"""

import math
import statistics
from collections.abc import Sequence
from statistics import NormalDist

from scipy.special import stdtrit


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
    low, high = (centre - half) / scale, (centre + half) / scale
    return low if successes > 0 else 0.0, high if successes < n else 1.0  # exactly, not rounded


def share_difference_interval(
    first: tuple[int, int], second: tuple[int, int], confidence: float = 0.95
) -> tuple[float, float]:
    """Interval for the difference of two independent shares, the first less the second.

    With the shares ``p₁``, ``p₂`` and Wilson's intervals ``(l₁, u₁)``, ``(l₂, u₂)``:
    ``p₁ - p₂ - sqrt((p₁ - l₁)² + (u₂ - p₂)²)`` to ``p₁ - p₂ + sqrt((u₁ - p₁)² + (p₂ - l₂)²)``.
    It has a width even when all trials of both agree.

    Args:
        first: successes and trials.
        second: the same of the other.
        confidence: of the interval.

    Raises:
        ValueError: as `wilson_interval`.

    Source:
        Newcombe 1998, Statistics in Medicine 17, 873-890, method 10.

    >>> [round(end, 3) for end in share_difference_interval((10, 10), (0, 10))]
    [0.608, 1.0]
    """
    p, q = (successes / max(n, 1) for successes, n in (first, second))
    low_p, high_p = wilson_interval(*first, confidence)
    low_q, high_q = wilson_interval(*second, confidence)
    return p - q - math.hypot(p - low_p, high_q - q), p - q + math.hypot(high_p - p, q - low_q)


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Interval for the mean of independent measurements, such as one for each seed.

    ``mean ± t s / sqrt(n)``, where ``s²`` divides by ``n - 1`` and ``t`` is Student's quantile for
    ``n - 1`` degrees of freedom. It is honest for few measurements if they are about normal. To
    compare two methods on the same seeds, give it the differences.

    Raises:
        ValueError: there are fewer than two values.

    Source:
        Student 1908, Biometrika 6, 1-25.

    >>> [round(end, 3) for end in mean_interval([1.0, 2.0, 3.0])]  # 2 ± 4.303 / sqrt(3)
    [-0.484, 4.484]
    """
    if len(values) < 2:
        raise ValueError(f"values: expected at least two, got {len(values)}.")
    t = float(stdtrit(len(values) - 1, 0.5 + confidence / 2))
    half = t * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.fmean(values)
    return mean - half, mean + half
