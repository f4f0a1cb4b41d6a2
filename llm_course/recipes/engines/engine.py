"""What the engines have in common: who a process is, what it adds up, what it keeps and loads.

Each engine is a strategy of the training loop (``training/strategy.py``). What differs is how the
model is prepared, whether processes share the rows of a batch, and how the whole model comes back.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from llm_course.errors import CourseError
from llm_course.recipes.engines.sharded_clipping import clip_sharded
from llm_course.training.accumulation import Batch, Loss
from llm_course.training.checkpoint import SHARDED
from llm_course.training.config import TrainingConfig
from llm_course.training.restore import load_checkpoint
from llm_course.training.sharded_checkpoint import write_sharded
from llm_course.training.state import TrainingState, state_tensors
from llm_course.training.strategy import batch_gradient


class Engine:
    """A strategy for several processes; the default group has been joined.

    Args:
        device: where this process computes.
    """

    shares_rows = False
    """Whether each process has other rows of a batch, or all have the same."""

    keeps_part = False
    """Whether a process has some of the model's tensors only."""

    gradient_factor = 1.0

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.rank, self.world_size = dist.get_rank(), dist.get_world_size()
        self.skeleton: nn.Module | None = None

    def prepare(self, model: nn.Module) -> nn.Module:
        """The model as the loss calls it, its weights laid out over the processes."""
        self.skeleton = copy.deepcopy(model).to("meta")
        return self.lay_out(model.to(self.device))

    def lay_out(self, model: nn.Module) -> nn.Module:
        """Wrap or shard a whole model; each engine in its way."""
        raise NotImplementedError

    def whole_weights(self, model: nn.Module) -> Iterator[tuple[str, Tensor]]:
        """The whole tensors of the model, one after the other, on every process' device."""
        for name, weight in model.state_dict().items():
            yield name, weight.full_tensor() if isinstance(weight, DTensor) else weight

    def part(self, batch: Batch) -> Batch:
        """This process' rows, where rows are shared.

        Raises:
            CourseError: the rows cannot be shared evenly.
        """
        if not self.shares_rows:
            return batch
        if len(batch[0]) % self.world_size:
            raise CourseError(
                f"batch_size: expected a multiple of {self.world_size} processes, got "
                f"{len(batch[0])}. Fix: another batch_size, or another number of processes"
            )
        return tuple(tensor.chunk(self.world_size)[self.rank] for tensor in batch)

    def total(self, number: float) -> float:
        """The sum over the processes that have other rows."""
        return self._sum(number) if self.shares_rows else number

    def gradient(
        self, state: TrainingState, batch: Batch, config: TrainingConfig, loss: Loss
    ) -> tuple[float, int]:
        """``batch_gradient``, told before each part of an accumulation."""

        def before_part(is_last: bool) -> None:
            self.before_part(state.prepared, is_last)

        return batch_gradient(self, state, batch, config, loss, before_part)

    def before_part(self, prepared: nn.Module, is_last: bool) -> None:
        """Told before each part of an accumulated gradient; only the last needs the others."""

    def clip(self, weights: Iterable[Tensor], max_norm: float | None) -> Tensor:
        """``clip_sharded``."""
        return clip_sharded(weights, max_norm, self.device)

    def all_finite(self, finite: bool) -> bool:
        """Whether it is finite in every process."""
        return self._sum(float(not finite)) == 0

    def wait(self) -> None:
        """Return when every process has come here."""
        self._sum(0.0)

    @contextmanager
    def use(self, model: nn.Module) -> Iterator[nn.Module]:
        """A whole copy of the model on every process, for a while."""
        whole = copy.deepcopy(self.skeleton)
        weights = {name: weight.detach().clone() for name, weight in self.whole_weights(model)}
        whole.load_state_dict(weights, assign=True)
        yield whole

    def gather(self, model: nn.Module) -> dict[str, Tensor]:
        """All weights, whole and on the CPU, on the first process; nothing on the others."""
        return {
            name: weight.detach().cpu().clone()
            for name, weight in self.whole_weights(model)
            if self.rank == 0
        }

    def save(self, path: Path, state: TrainingState, facts: Mapping[str, Any]) -> None:
        """Write a checkpoint, a folder beside where one process would write its file."""
        tensors, values = state_tensors(state)
        numbers: list[Any] = [None] * self.world_size
        dist.all_gather_object(numbers, values["optimizer"])
        values["optimizer"] = {name: kept for part in numbers for name, kept in part.items()}
        write_sharded(path.with_suffix(SHARDED), tensors, {"state": values, **facts})

    def load(self, path: Path, state: TrainingState, expected: Mapping[str, Any]) -> dict[str, Any]:
        """Read a checkpoint of one process, or of several that were laid out in any way.

        Raises:
            CorruptCheckpoint: it is damaged.
            MismatchedCheckpoint: a fact is not as expected, or the tensors are not the model's.
        """
        return load_checkpoint(path, state, expected, partial=self.keeps_part)

    def _sum(self, number: float) -> float:
        """The sum over all processes, in fp64; all wait for all."""
        total = torch.tensor(number, dtype=torch.float64)
        dist.all_reduce(total)
        return total.item()
