"""Engines that share the rows of a batch: PyTorch's DDP and FSDP2.

With DDP every process keeps the whole model, and the gradients are averaged in buckets while the
backward pass still runs. With FSDP2 (``fully_shard``) each process keeps a part of every weight, of
its gradient and of its moments; a block is put together when it computes. That is ZeRO's stage 3.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from llm_course.recipes.engines.engine import Engine
from llm_course.recipes.engines.objective import Objective, through
from llm_course.training.accumulation import Batch, Loss
from llm_course.training.clipping import clip_gradients
from llm_course.training.config import TrainingConfig
from llm_course.training.state import TrainingState


class DataParallelEngine(Engine):
    """``DistributedDataParallel`` as a strategy."""

    shares_rows = True

    @property
    def gradient_factor(self) -> float:
        """The engine takes the mean over processes; the loop wants the sum."""
        return float(self.world_size)

    def lay_out(self, model: nn.Module) -> nn.Module:
        """The wrapped loss of the model."""
        devices = [self.device.index] if self.device.type == "cuda" else None
        return DistributedDataParallel(Objective(model), device_ids=devices)

    def gradient(
        self, state: TrainingState, batch: Batch, config: TrainingConfig, loss: Loss
    ) -> tuple[float, int]:
        """As for every engine; the loss is computed inside the wrapped module."""
        return super().gradient(state, batch, config, through(loss))

    def before_part(self, prepared: nn.Module, is_last: bool) -> None:
        """Average once, with the last part."""
        prepared.require_backward_grad_sync = is_last

    def clip(self, weights: Iterable[Tensor], max_norm: float | None) -> Tensor:
        """``clip_gradients``: each process has the whole gradient."""
        return clip_gradients(weights, max_norm)

    @contextmanager
    def use(self, model: nn.Module) -> Iterator[nn.Module]:
        """The model itself, which every process has whole."""
        yield model


class FullyShardedEngine(Engine):
    """``fully_shard`` (FSDP2) as a strategy: a unit for each block, and one for the rest."""

    shares_rows = True

    @property
    def gradient_factor(self) -> float:
        """The engine takes the mean over processes; the loop wants the sum."""
        return float(self.world_size)

    def lay_out(self, model: nn.Module) -> nn.Module:
        """The loss of the model, sharded in place."""
        mesh = init_device_mesh(self.device.type, (self.world_size,))
        for block in model.blocks:
            fully_shard(block, mesh=mesh)
        return fully_shard(Objective(model), mesh=mesh)

    def gradient(
        self, state: TrainingState, batch: Batch, config: TrainingConfig, loss: Loss
    ) -> tuple[float, int]:
        """As for every engine; the loss is computed inside the wrapped module."""
        return super().gradient(state, batch, config, through(loss))

    def before_part(self, prepared: nn.Module, is_last: bool) -> None:
        """Reduce the gradient once, with the last part."""
        prepared.set_requires_gradient_sync(is_last)
