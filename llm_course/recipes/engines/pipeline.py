"""Pipeline parallelism by ``torch.distributed.pipelining``: each process has some of the layers.

A batch goes through the stages in micro-batches, all forward and then all backward (GPipe), or one
forward and one backward in turn as soon as that can be (1F1B). The last stage computes the loss.
"""

from collections.abc import Iterable, Iterator

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.pipelining import PipelineStage, Schedule1F1B, ScheduleGPipe

from llm_course.errors import CourseError
from llm_course.model.decoder import Decoder
from llm_course.parallel.pipeline_stage import keep_stage, stage_forward
from llm_course.recipes.engines.engine import Engine
from llm_course.recipes.engines.sharded_clipping import clip_sharded
from llm_course.training.accumulation import Batch, Loss, count_targets
from llm_course.training.config import TrainingConfig
from llm_course.training.precision import mixed_precision
from llm_course.training.state import TrainingState

SCHEDULES = {"gpipe": ScheduleGPipe, "1f1b": Schedule1F1B}


class PipelineEngine(Engine):
    """``PipelineStage`` and a schedule as a strategy; there is a stage for each process.

    Args:
        device: where this process computes.
        schedule: ``gpipe`` or ``1f1b``.
        n_microbatches: into how many a batch is cut; if 0 by the run's accumulation, and at least
            into as many as there are processes.
    """

    keeps_part = True

    def __init__(
        self, device: torch.device, schedule: str = "1f1b", n_microbatches: int = 0
    ) -> None:
        super().__init__(device)
        self.last = self.world_size - 1
        self.n_microbatches = n_microbatches
        self.make_schedule = SCHEDULES[schedule]
        self.schedule: ScheduleGPipe | Schedule1F1B | None = None
        self.loss_of: Loss | None = None

    def lay_out(self, model: Decoder) -> nn.Module:
        """This process' layers.

        Raises:
            CourseError: there are more processes than layers, or all stages would share a weight.
        """
        try:
            layers = keep_stage(model, self.rank, self.world_size)
        except ValueError as error:
            raise CourseError(f"--strategy pipeline: {error} Fix: --strategy fsdp") from error
        self.stage = StageModule(model, layers, is_last=self.rank == self.last)
        tied = model.config.tie_embeddings and self.world_size > 1
        group = dist.new_group([0, self.last]) if tied else None  # every process must ask for it
        self.ends = group if self.rank in (0, self.last) else None
        names: list[list[str]] = [[] for _ in range(self.world_size)]
        dist.all_gather_object(names, list(model.state_dict()))
        # A name that two stages have is read from the first.
        self.owners = {name: rank for rank in reversed(range(len(names))) for name in names[rank]}
        return self.stage

    def gradient(
        self, state: TrainingState, batch: Batch, config: TrainingConfig, loss: Loss
    ) -> tuple[float, int]:
        """The gradient of this stage's weights; the loss and the targets of the whole batch.

        Raises:
            CourseError: the rows cannot be cut into micro-batches of one size, or into too few.
            ValueError: no target counts.
        """
        self._begin(len(batch[0]), config)
        tokens, targets = (tensor.to(self.device) for tensor in batch)
        n_targets = count_targets(targets)
        if n_targets == 0:
            raise ValueError(f"targets: expected one that counts, got {tuple(targets.shape)}.")
        scale = 1.0 if state.scaler is None else state.scaler.scale
        self.stage.precision = config.precision

        def scaled(model: nn.Module, tokens: Tensor, targets: Tensor) -> Tensor:
            with mixed_precision(config.precision, self.device.type):
                mean = loss(model, tokens, targets)
            return mean * (count_targets(targets) / n_targets * scale)

        self.loss_of, losses = scaled, []
        first = [tokens] if self.rank == 0 else []
        given = {"target": torch.stack([tokens, targets], dim=1), "losses": losses}
        self.schedule.step(*first, **(given if self.rank == self.last else {}))
        if self.ends is not None:
            dist.all_reduce(state.model.embedding.weight.grad, group=self.ends)
        total = sum(losses).detach().double() / scale if losses else torch.zeros(())
        total = total.to("cpu", torch.float64)
        dist.broadcast(total, src=self.last)
        return total.item(), n_targets

    def clip(self, weights: Iterable[Tensor], max_norm: float | None) -> Tensor:
        """``clip_sharded``; a tied embedding counts on the first stage."""
        copied = self.ends is not None and self.rank == self.last
        elsewhere = [self.stage.model.embedding.weight] if copied else []
        return clip_sharded(weights, max_norm, self.device, elsewhere)

    def whole_weights(self, model: nn.Module) -> Iterator[tuple[str, Tensor]]:
        """Each tensor from the stage that has it, on every process' device."""
        own = model.state_dict()
        for name, form in self.skeleton.state_dict().items():
            found = own.get(name)
            if self.owners[name] != self.rank or found is None:
                found = torch.empty_like(form, device=self.device)
            dist.broadcast(found, src=self.owners[name])
            yield name, found

    def _loss(self, features: Tensor, rows: Tensor) -> Tensor:
        """The scheduled loss of a micro-batch; its rows hold tokens and targets, ``b 2 t``."""
        return self.loss_of(LastFeatures(self.stage.model, features), rows[:, 0], rows[:, 1])

    def _begin(self, n_rows: int, config: TrainingConfig) -> None:
        """The schedule of the run, once it is known how a batch is cut."""
        n = self.n_microbatches or max(self.world_size, config.accumulation)
        if n < self.world_size:
            raise CourseError(
                f"n_microbatches: expected at least {self.world_size}, one for each process, got "
                f"{n}. Fix: raise it in the recipe's [parallel]"
            )
        if n_rows % n:
            raise CourseError(
                f"batch_size: expected a multiple of n_microbatches={n}, got {n_rows}. "
                "Fix: change one of them in the recipe"
            )
        if self.schedule is None:
            stage = PipelineStage(self.stage, self.rank, self.world_size, self.device)
            self.schedule = self.make_schedule(stage, n, loss_fn=self._loss, scale_grads=False)


class StageModule(nn.Module):
    """One stage as a module of one input: token ids, or the stream of the stage before.

    Args:
        model: what ``keep_stage`` left.
        layers: what it returned.
        is_last: whether the final norm follows.

    Shapes:
        x ``b t`` or ``b t d``; returns ``b t d``.
    """

    def __init__(self, model: Decoder, layers: range, is_last: bool) -> None:
        super().__init__()
        self.model, self.layers, self.is_last = model, layers, is_last
        self.precision = "fp32"

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: x ``b t`` or ``b t d``; returns ``b t d``."""
        with mixed_precision(self.precision, x.device.type):
            x = stage_forward(self.model, self.layers, x)
            return self.model.finish(x) if self.is_last else x


class LastFeatures:
    """The last stage as a loss sees a decoder: the features are there, the matrix too.

    Args:
        model: of the last stage.
        features: what it made of the tokens.

    Shapes:
        features ``b t d``.
    """

    def __init__(self, model: Decoder, features: Tensor) -> None:
        self.found, self.output_weight = features, model.output_weight

    def features(self, tokens: Tensor) -> Tensor:
        """Shapes: tokens ``b t``; returns ``b t d``."""
        return self.found
