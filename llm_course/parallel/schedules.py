"""Pipeline schedules: in which order a stage computes the parts of a batch.

A model's layers are cut into ``p`` stages and a batch into ``m`` micro-batches. ``("F", i)`` is the
forward pass of micro-batch ``i`` through this stage and ``("B", i)`` its backward pass. A schedule
says the order alone; when each begins follows from what it waits for (``logical_clock.py``).
"""

from collections.abc import Callable
from typing import Literal

Action = tuple[Literal["F", "B"], int]
"""Forward or backward, and of which micro-batch."""


def naive(stage: int, n_stages: int, n_microbatches: int) -> list[Action]:
    """One micro-batch after the other, each all the way forward and back.

    At any time one stage works and the others wait: the bubble is ``(p - 1) / p``, however many
    micro-batches there are.

    Raises:
        ValueError: a count is not positive, or the stage is out of range.

    >>> naive(stage=0, n_stages=2, n_microbatches=2)
    [('F', 0), ('B', 0), ('F', 1), ('B', 1)]
    """
    _check(stage, n_stages, n_microbatches)
    return [(kind, i) for i in range(n_microbatches) for kind in ("F", "B")]


def gpipe(stage: int, n_stages: int, n_microbatches: int) -> list[Action]:
    """All micro-batches forward, then all of them back.

    The bubble is ``(p - 1) / (m + p - 1)``. The activations of all ``m`` micro-batches wait in
    memory for their backward passes.

    Raises:
        ValueError: a count is not positive, or the stage is out of range.

    Source:
        Huang et al. 2019, arXiv:1811.06965, section 2.3 and figure 2.

    >>> gpipe(stage=0, n_stages=2, n_microbatches=2)
    [('F', 0), ('F', 1), ('B', 0), ('B', 1)]
    """
    _check(stage, n_stages, n_microbatches)
    return [(kind, i) for kind in ("F", "B") for i in range(n_microbatches)]


def one_f_one_b(stage: int, n_stages: int, n_microbatches: int) -> list[Action]:
    """A few micro-batches forward, then one forward and one back in turn, then the rest back.

    A stage begins with ``p - 1 - stage`` forward passes, as many as there are stages after it;
    then the first gradient is on its way. The bubble is GPipe's, ``(p - 1) / (m + p - 1)``, but
    no more than ``p - stage`` micro-batches wait in memory.

    Raises:
        ValueError: a count is not positive, or the stage is out of range.

    Source:
        Narayanan et al. 2021, arXiv:2104.04473, section 2.2 and figure 4 (the schedule of
        PipeDream-Flush: Narayanan et al. 2021, arXiv:2006.09503).

    >>> one_f_one_b(stage=0, n_stages=2, n_microbatches=3)
    [('F', 0), ('F', 1), ('B', 0), ('F', 2), ('B', 1), ('B', 2)]
    >>> one_f_one_b(stage=1, n_stages=2, n_microbatches=2)
    [('F', 0), ('B', 0), ('F', 1), ('B', 1)]
    """
    _check(stage, n_stages, n_microbatches)
    n_first = min(n_stages - 1 - stage, n_microbatches)
    actions: list[Action] = [("F", i) for i in range(n_first)]
    for i in range(n_first, n_microbatches):
        actions += [("F", i), ("B", i - n_first)]
    return actions + [("B", i) for i in range(n_microbatches - n_first, n_microbatches)]


Schedule = Callable[[int, int, int], list[Action]]
"""What makes a stage's order, as ``schedule(stage, n_stages, n_microbatches)``."""

SCHEDULES: dict[str, Schedule] = {"naive": naive, "gpipe": gpipe, "1f1b": one_f_one_b}
"""The function for each value of ``Layout.schedule``."""


def _check(stage: int, n_stages: int, n_microbatches: int) -> None:
    if n_stages < 1 or not 0 <= stage < n_stages:
        raise ValueError(f"stage: expected 0 to n_stages - 1 = {n_stages - 1}, got {stage}.")
    if n_microbatches < 1:
        raise ValueError(f"n_microbatches: expected at least 1, got {n_microbatches}.")
