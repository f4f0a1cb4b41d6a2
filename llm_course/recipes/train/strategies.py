"""The strategies that a command may name: how the steps of a run are spread over processes.

To add one, write a class with the methods of ``training.strategy.Strategy`` and enter a function
that makes it; ``torchrun`` starts the processes and sets ``WORLD_SIZE``.
"""

import os
from collections.abc import Callable

import torch

from llm_course.errors import CourseError
from llm_course.training.strategy import SingleProcess, Strategy


def single_process(device: str) -> Strategy:
    """One process on one device.

    Raises:
        CourseError: several processes were started.
    """
    started = os.environ.get("WORLD_SIZE", "1")
    if started != "1":
        raise CourseError(
            f"WORLD_SIZE: expected 1 process for the strategy single, got {started}. "
            "Fix: start it without torchrun, or name another --strategy"
        )
    return SingleProcess(device)


STRATEGIES: dict[str, Callable[[str], Strategy]] = {"single": single_process}
"""What makes a strategy from the name of a device."""


def make_strategy(name: str, device: str) -> Strategy:
    """A strategy by its name.

    Raises:
        CourseError: there is none of this name, or no such device.

    >>> make_strategy("single", "cpu").world_size
    1
    """
    if name not in STRATEGIES:
        raise CourseError(
            f"--strategy: expected one of {', '.join(STRATEGIES)}, got {name!r}. Fix: name one"
        )
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise CourseError(f"--device: expected a CUDA device for {device!r}, found none. Fix: cpu")
    return STRATEGIES[name](device)
