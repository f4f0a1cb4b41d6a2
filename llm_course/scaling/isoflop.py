"""IsoFLOP profiles: the best size for a budget, read off runs that all cost the same."""

import math
from collections.abc import Sequence

import numpy as np


def isoflop_minimum(n_parameters: Sequence[float], losses: Sequence[float]) -> float:
    """The size at the bottom of the parabola through losses over the logarithm of size.

    Args:
        n_parameters: of runs that cost the same work.
        losses: their losses.

    Raises:
        ValueError: there are fewer than three runs, the numbers of both differ, or the parabola has
            no bottom.

    Source:
        Hoffmann et al. 2022, arXiv:2203.15556, section 3.2 (approach 2).

    >>> round(isoflop_minimum([1.0, 10.0, 100.0], [3.0, 2.0, 3.0]), 6)
    10.0
    """
    if len(n_parameters) != len(losses) or len(losses) < 3:
        raise ValueError(
            f"losses: expected one for each of at least 3 sizes, got {len(losses)} for "
            f"{len(n_parameters)}."
        )
    square, slope, _ = np.polyfit(np.log(n_parameters), losses, deg=2)
    if not square > 0:
        raise ValueError(
            "losses: expected a curve with a bottom, got one that bends downwards. Fix: add "
            "smaller and larger models of the same budget."
        )
    return math.exp(-slope / (2 * square))
