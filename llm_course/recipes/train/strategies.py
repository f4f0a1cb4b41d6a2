"""The strategies that a command may name: how the steps of a run are spread over processes.

To add one, write a class with the methods of ``training.strategy.Strategy`` and enter a function
that makes it; ``torchrun`` starts the processes and says who each of them is.
"""

import os
from collections.abc import Callable

import torch

from llm_course.errors import CourseError
from llm_course.recipes.engines.data_parallel import DataParallelEngine, FullyShardedEngine
from llm_course.recipes.engines.pipeline import PipelineEngine
from llm_course.recipes.engines.processes import join
from llm_course.recipes.engines.tensor_parallel import TensorParallelEngine
from llm_course.recipes.train.recipe import ParallelEntry
from llm_course.training.strategy import SingleProcess, Strategy

Make = Callable[[str, ParallelEntry], Strategy]


def single_process(device: str, options: ParallelEntry) -> Strategy:
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


def ddp(device: str, options: ParallelEntry) -> Strategy:
    """Copies of the model, parts of the batch."""
    return DataParallelEngine(join(device, options.timeout))


def fsdp(device: str, options: ParallelEntry) -> Strategy:
    """Parts of every weight, parts of the batch."""
    return FullyShardedEngine(join(device, options.timeout))


def tensor(device: str, options: ParallelEntry) -> Strategy:
    """Parts of every matrix, the whole batch."""
    return TensorParallelEngine(join(device, options.timeout))


def pipeline(device: str, options: ParallelEntry) -> Strategy:
    """Some of the layers, the whole batch."""
    joined = join(device, options.timeout)
    return PipelineEngine(joined, options.schedule, options.n_microbatches)


STRATEGIES: dict[str, Make] = {
    "single": single_process,
    "ddp": ddp,
    "fsdp": fsdp,
    "tensor": tensor,
    "pipeline": pipeline,
}
"""What makes a strategy from the name of a device and the recipe's ``[parallel]``."""


def make_strategy(name: str, device: str, options: ParallelEntry | None = None) -> Strategy:
    """A strategy by its name.

    Raises:
        CourseError: there is none of this name, or no such device, or it was not started as this
            strategy has to be.

    >>> make_strategy("single", "cpu").world_size
    1
    """
    if name not in STRATEGIES:
        raise CourseError(
            f"--strategy: expected one of {', '.join(STRATEGIES)}, got {name!r}. Fix: name one"
        )
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise CourseError(f"--device: expected a CUDA device for {device!r}, found none. Fix: cpu")
    return STRATEGIES[name](device, options or ParallelEntry())
