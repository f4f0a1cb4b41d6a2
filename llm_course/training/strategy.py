"""How a training step is spread over processes: the seam between the loop and the engines.

The loop asks a strategy for what depends on how many processes there are, and for nothing else.
``SingleProcess`` is one process on one device. The engines for ``torchrun`` (DDP, FSDP2, tensor and
pipeline parallel, ``recipes/engines``) are other classes with the same methods: one is passed to
``train``, which stays as it is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from llm_course.training.accumulation import Batch, Loss, accumulate_gradient, count_targets
from llm_course.training.checkpoint import write_checkpoint
from llm_course.training.clipping import clip_gradients
from llm_course.training.config import TrainingConfig
from llm_course.training.precision import mixed_precision
from llm_course.training.restore import load_checkpoint
from llm_course.training.state import TrainingState, state_tensors


class Strategy(Protocol):
    """What the loop needs to know of the processes that train together."""

    rank: int
    """Which process this is, from 0; number 0 writes logs and samples."""

    world_size: int
    """How many processes there are."""

    device: torch.device
    """Where this process computes."""

    gradient_factor: float
    """What a process multiplies its part of the gradient by, so that what comes of all parts is
    their sum: the number of processes where an engine takes the mean, 1 where it adds."""

    def prepare(self, model: nn.Module) -> nn.Module:
        """The model as the loss calls it: moved, wrapped or sharded; before the optimizer."""
        ...

    def part(self, batch: Batch) -> Batch:
        """This process' rows of a batch that all of them have."""
        ...

    def total(self, number: float) -> float:
        """The sum of a number over the processes, each of which has other rows."""
        ...

    def gradient(
        self, state: TrainingState, batch: Batch, config: TrainingConfig, loss: Loss
    ) -> tuple[float, int]:
        """The gradient of a whole batch in ``.grad``; its loss and its targets, over all rows."""
        ...

    def clip(self, weights: Iterable[Tensor], max_norm: float | None) -> Tensor:
        """Clip the gradient of the whole model, and return its norm before that."""
        ...

    def all_finite(self, finite: bool) -> bool:
        """Whether something is finite in every process."""
        ...

    def wait(self) -> None:
        """Return when every process has come here."""
        ...

    def use(self, model: nn.Module) -> AbstractContextManager[nn.Module]:
        """Within it, the model as one process has it, to be measured or to write.

        Every process enters and leaves it.
        """
        ...

    def gather(self, model: nn.Module) -> dict[str, Tensor]:
        """All weights of a model by name, whole and on the CPU; each process calls it.

        The first process gets them, the others may get none.
        """
        ...

    def save(self, path: Path, state: TrainingState, facts: Mapping[str, Any]) -> None:
        """Write a checkpoint of all processes; each of them calls it."""
        ...

    def load(self, path: Path, state: TrainingState, expected: Mapping[str, Any]) -> dict[str, Any]:
        """Bring the state back to what ``save`` wrote, and return the facts that were given to it.

        ``expected`` are those of the facts that must be the same, or the checkpoint is refused.
        """
        ...


class SingleProcess:
    """One process on one device, whose checkpoints are single safetensors files.

    Args:
        device: where it computes.

    >>> SingleProcess().world_size
    1
    """

    rank = 0
    world_size = 1
    gradient_factor = 1.0

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)

    def prepare(self, model: nn.Module) -> nn.Module:
        """The model, on the device."""
        return model.to(self.device)

    def part(self, batch: Batch) -> Batch:
        """All rows."""
        return batch

    def total(self, number: float) -> float:
        """The number itself."""
        return number

    def gradient(
        self, state: TrainingState, batch: Batch, config: TrainingConfig, loss: Loss
    ) -> tuple[float, int]:
        """``batch_gradient``."""
        return batch_gradient(self, state, batch, config, loss)

    def clip(self, weights: Iterable[Tensor], max_norm: float | None) -> Tensor:
        """``clip_gradients``."""
        return clip_gradients(weights, max_norm)

    def all_finite(self, finite: bool) -> bool:
        """Whether it is finite here."""
        return finite

    def wait(self) -> None:
        """Nobody to wait for."""

    @contextmanager
    def use(self, model: nn.Module) -> Iterator[nn.Module]:
        """The model itself."""
        yield model

    def gather(self, model: nn.Module) -> dict[str, Tensor]:
        """Copies of the weights."""
        return {name: weight.cpu().clone() for name, weight in model.state_dict().items()}

    def save(self, path: Path, state: TrainingState, facts: Mapping[str, Any]) -> None:
        """Write a checkpoint."""
        tensors, values = state_tensors(state)
        write_checkpoint(path, tensors, {"state": values, **facts})

    def load(self, path: Path, state: TrainingState, expected: Mapping[str, Any]) -> dict[str, Any]:
        """Read a checkpoint into the state.

        Raises:
            CorruptCheckpoint: the file is damaged.
            MismatchedCheckpoint: a fact is not as expected, or the tensors are not the model's.
        """
        return load_checkpoint(path, state, expected)


def batch_gradient(
    strategy: Strategy,
    state: TrainingState,
    batch: Batch,
    config: TrainingConfig,
    loss: Loss,
    before_part: Callable[[bool], None] | None = None,
) -> tuple[float, int]:
    """The gradient where each process computes its rows; the loss and the targets of all rows.

    Args:
        strategy: says which rows, and adds up.
        state: whose model gets the gradient.
        batch: of all processes.
        config: its precision and accumulation.
        loss: as ``loss(state.prepared, tokens, targets)``.
        before_part: as for ``accumulate_gradient``.

    Shapes:
        tokens, targets ``b t``.
    """
    part = strategy.part(batch)
    n_targets = int(strategy.total(count_targets(part[1])))
    scale = 1.0 if state.scaler is None else state.scaler.scale

    def narrow(model: nn.Module, tokens: Tensor, targets: Tensor) -> Tensor:
        with mixed_precision(config.precision, tokens.device.type):
            return loss(model, tokens, targets)

    value, _ = accumulate_gradient(
        state.prepared,
        part,
        narrow,
        config.accumulation,
        n_targets=n_targets,
        factor=scale * strategy.gradient_factor,
        before_part=before_part,
    )
    return strategy.total(value), n_targets
