"""How well a score tells two kinds of text apart, whatever the threshold."""

from collections.abc import Sequence

import numpy as np


def auc(higher: Sequence[float], lower: Sequence[float]) -> float:
    """The area under the ROC curve: P(a score of ``higher`` exceeds one of ``lower``), ties half.

    Raises:
        ValueError: one of them is empty.

    Source:
        Hanley and McNeil 1982, *The meaning and use of the area under a receiver operating
        characteristic (ROC) curve*: the area is the Mann-Whitney statistic over n·m.

    >>> auc([3, 2], [1, 2])  # 3>1, 3>2, 2>1, and 2=2 for half
    0.875
    """
    if not len(higher) or not len(lower):
        raise ValueError(
            f"higher, lower: expected scores in both, got {len(higher)} and {len(lower)}."
        )
    base = np.sort(np.asarray(lower, dtype=np.float64))
    asked = np.asarray(higher, dtype=np.float64)
    below = np.searchsorted(base, asked, side="left")
    not_above = np.searchsorted(base, asked, side="right")
    return float((below + not_above).mean() / (2 * len(base)))
