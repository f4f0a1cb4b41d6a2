"""The learning rate over time: a linear warm-up, then half a cosine down, or a plateau and a fall.

Both are functions of the step alone, so a run that goes on from a checkpoint needs no state for
them. ``learning_rate`` chooses by the configuration.
"""

import math
from collections.abc import Callable
from typing import Literal

from llm_course.training.config import TrainingConfig

Decay = Literal["linear", "cosine", "1-sqrt"]

DECAYS: dict[str, Callable[[float], float]] = {
    "linear": lambda progress: 1 - progress,
    "cosine": lambda progress: (1 + math.cos(math.pi * progress)) / 2,
    "1-sqrt": lambda progress: 1 - math.sqrt(progress),
}
"""How much of the way from the peak to the minimum is left, by how much of the decay is done."""


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
    _check(step, n_steps, warmup_steps)
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    progress = (step + 1 - warmup_steps) / (n_steps - warmup_steps)
    return minimum + (peak - minimum) * DECAYS["cosine"](progress)


def warmup_stable_decay(
    step: int,
    *,
    peak: float,
    n_steps: int,
    decay_steps: int,
    warmup_steps: int = 0,
    minimum: float = 0.0,
    decay: Decay = "linear",
) -> float:
    """The learning rate of a step: a rise, a plateau at the peak, and a fall at the end (WSD).

    With ``s = step + 1``: ``peak * s / warmup_steps`` in the rise, ``peak`` up to
    ``s = n_steps - decay_steps``, and then ``minimum + (peak - minimum) * left(p)`` with
    ``p = (s - (n_steps - decay_steps)) / decay_steps``; ``left`` is one of ``DECAYS``. Nothing
    before the fall depends on ``n_steps``: a run on the plateau can be prolonged, or be ended at
    any time by a fall from one of its checkpoints.

    Args:
        step: which step.
        peak: the largest learning rate.
        n_steps: steps of the whole training.
        decay_steps: steps of the fall; with those of the rise at most ``n_steps``.
        warmup_steps: steps of the rise; fewer than ``n_steps``.
        minimum: the learning rate of the last step.
        decay: the shape of the fall.

    Raises:
        ValueError: a number is out of range, or the shape is unknown.

    Source:
        Hu et al. 2024, arXiv:2404.06395, section 4.

    >>> [warmup_stable_decay(s, peak=1.0, n_steps=6, warmup_steps=2, decay_steps=2)
    ...  for s in range(6)]
    [0.5, 1.0, 1.0, 1.0, 0.5, 0.0]
    """
    _check(step, n_steps, warmup_steps)
    if decay not in DECAYS:
        raise ValueError(f"decay: expected one of {tuple(DECAYS)}, got {decay!r}.")
    if not 1 <= decay_steps <= n_steps - warmup_steps:
        raise ValueError(
            f"decay_steps: expected 1 to n_steps - warmup_steps = {n_steps - warmup_steps}, "
            f"got {decay_steps}."
        )
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    progress = max(0.0, (step + 1 - (n_steps - decay_steps)) / decay_steps)
    return minimum + (peak - minimum) * DECAYS[decay](progress)


def learning_rate(step: int, config: TrainingConfig) -> float:
    """The learning rate of a step by the schedule that the configuration names.

    >>> learning_rate(1, TrainingConfig(n_steps=4, learning_rate=0.5, warmup_steps=2))
    0.5
    """
    shared = {
        "peak": config.learning_rate,
        "n_steps": config.n_steps,
        "warmup_steps": config.warmup_steps,
        "minimum": config.minimum_learning_rate,
    }
    if config.schedule == "wsd":
        return warmup_stable_decay(step, decay_steps=config.decay_steps, **shared)
    return warmup_cosine(step, **shared)


def _check(step: int, n_steps: int, warmup_steps: int) -> None:
    if not 0 <= warmup_steps < n_steps:
        raise ValueError(
            f"warmup_steps: expected 0 to n_steps - 1 = {n_steps - 1}, got {warmup_steps}."
        )
    if not 0 <= step < n_steps:
        raise ValueError(f"step: expected 0 to n_steps - 1 = {n_steps - 1}, got {step}.")
