"""The learning rate over time: a linear warm-up, then half a cosine down.

Leaves out the other shapes; each is a function of the step, like this one.
"""

import math


def warmup_cosine(
    step: int, *, peak: float, n_steps: int, warmup_steps: int = 0, minimum: float = 0.0
) -> float:
    """The learning rate of a step, from 0 to ``n_steps - 1``.

    With ``s = step + 1``: ``peak * s / warmup_steps`` up to ``s = warmup_steps``, which is the
    first step at the peak, and then
    ``minimum + (peak - minimum) * (1 + cos(pi * (s - warmup) / (n_steps - warmup))) / 2``, which
    reaches the minimum at the last step.

    Args:
        step: which step.
        peak: the largest learning rate.
        n_steps: steps of the whole training.
        warmup_steps: steps of the rise; fewer than ``n_steps``.
        minimum: the learning rate of the last step.

    Raises:
        ValueError: the step or the warm-up is out of range.

    Source:
        Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5, without restarts; the warm-up:
        Goyal et al. 2017, arXiv:1706.02677, section 2.2.

    >>> [warmup_cosine(s, peak=1.0, n_steps=4, warmup_steps=2) for s in range(4)]
    [0.5, 1.0, 0.5, 0.0]
    """
    if not 0 <= warmup_steps < n_steps:
        raise ValueError(
            f"warmup_steps: expected 0 to n_steps - 1 = {n_steps - 1}, got {warmup_steps}."
        )
    if not 0 <= step < n_steps:
        raise ValueError(f"step: expected 0 to n_steps - 1 = {n_steps - 1}, got {step}.")
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    progress = (step + 1 - warmup_steps) / (n_steps - warmup_steps)
    return minimum + (peak - minimum) * (1 + math.cos(math.pi * progress)) / 2
