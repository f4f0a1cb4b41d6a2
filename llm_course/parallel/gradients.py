"""The gradient of a whole batch, computed by all ranks of a mesh, each with its part of the work.

Forward and backward follow the pipeline's schedule (with one stage: micro-batch after micro-batch).
Then the sums that are still missing are made: over the data axis, and of a tied embedding. At the
end each rank has its part of the gradient that one process would have.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

from llm_course.model.decoder import Decoder
from llm_course.parallel.batch_parts import rows_of_rank, share_of_targets
from llm_course.parallel.collectives import all_reduce, broadcast
from llm_course.parallel.data_parallel import DataParallel
from llm_course.parallel.group import Group
from llm_course.parallel.layout import Layout
from llm_course.parallel.memory import RankMemory, bytes_of, saved_bytes
from llm_course.parallel.mesh import Mesh
from llm_course.parallel.pipeline_run import PipelineRun, run_schedule
from llm_course.parallel.pipeline_stage import stage_forward
from llm_course.parallel.schedules import SCHEDULES
from llm_course.parallel.sharded_model import ShardedModel
from llm_course.parallel.tensor_parallel import stream_loss
from llm_course.parallel.zero import Zero
from llm_course.training.loop import Batch
from llm_course.training.loss import IGNORE


class Gradients:
    """One rank's part of a model, and what computes its gradient.

    Args:
        model: the whole decoder, the same on all ranks; this rank's part of it is left.
        mesh: the rank's place.
        layout: how the run is laid out.

    Raises:
        ValueError: the layout does not fit the mesh, or the model.
    """

    def __init__(self, model: Decoder, mesh: Mesh, layout: Layout) -> None:
        for axis in ("data", "pipeline", "tensor"):
            wanted, found = getattr(layout, axis), getattr(mesh, axis).size
            if wanted != found:
                raise ValueError(f"{axis}: expected a mesh of {wanted} ranks, got {found}.")
        self.mesh, self.layout, self.model = mesh, layout, model
        self.sharded = ShardedModel(model, mesh)
        self.zero = Zero(model, mesh.data, layout.zero) if layout.zero else None
        self.copies = None if layout.zero else DataParallel(model, mesh.data, layout.bucket_bytes)
        self.run = PipelineRun()
        self.memory = RankMemory(parameters=0, gradients=0, optimizer=0, activations=0)
        self._saved = 0

    @property
    def parameters(self) -> list[tuple[str, nn.Parameter]]:
        """What the optimizer sees, by name; with ZeRO these are this rank's pieces."""
        return self.zero.pieces if self.zero else list(self.model.named_parameters())

    def compute(self, batch: Batch) -> tuple[float, int]:
        """Give every parameter its gradient; the whole batch's mean loss, and its targets.

        Shapes:
            tokens, targets ``b t``, the same on all ranks.

        Raises:
            RankLost: a rank is not there.
            ValueError: the rows cannot be dealt out, or no target counts.
        """
        n_targets = int((batch[1] != IGNORE).sum())
        data, pipeline = self.mesh.data, self.mesh.pipeline
        parts = rows_of_rank(batch, data.rank, data.size, self.layout.n_microbatches)
        parts = [tuple(tensor.to(self._device) for tensor in part) for part in parts]
        share_of_targets(batch[1], n_targets)  # refuses a batch without any
        self.model.zero_grad(set_to_none=True)
        if self.zero:
            self.zero.begin()
        self.run = run_schedule(
            SCHEDULES[self.layout.schedule](pipeline.rank, pipeline.size, len(parts)),
            pipeline,
            lambda i, x: self._forward(parts[i], x, n_targets),
            self._empty_stream(parts[0][0]),
            lambda i: self._around_backward(is_last=i == len(parts) - 1),
        )
        self._measure()
        self._finish()
        return self._whole_loss(), n_targets

    def norm_groups(self) -> list[Group]:
        """The axes along which ranks hold different gradients."""
        axes = [self.mesh.tensor, self.mesh.pipeline]
        return [*axes, self.mesh.data] if self.zero else axes

    def whole_weights(self) -> dict[str, Tensor]:
        """The parameters of this stage, put together again; all ranks must call it."""
        units = self.zero.units if self.zero else []
        for unit in units:
            unit.gather()
        weights = self.sharded.whole_weights()
        for unit in units:
            if self.layout.zero == 3:
                unit.release()
        return weights

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device

    def _empty_stream(self, tokens: Tensor) -> Tensor:
        """What the stages send to each other, without its numbers."""
        weight = next(self.model.parameters())
        return weight.new_empty(*tokens.shape, self.model.config.d_model)

    def _forward(self, part: Batch, x: Tensor | None, n_targets: int) -> Tensor:
        """This stage's forward pass: the stream, or on the last stage the weighted loss."""
        with self._counting():
            x = stage_forward(self.model, self.sharded.layers, part[0] if x is None else x)
            if not self.sharded.is_last:
                return x
            loss = stream_loss(self.model, x, part[1], self.mesh.tensor)
            return loss * share_of_targets(part[1], n_targets)

    def _around_backward(self, is_last: bool) -> AbstractContextManager[None]:
        """Gradients leave in the last micro-batch's backward pass, when they are complete."""
        return nullcontext() if self.copies is None or is_last else self.copies.pause()

    def _finish(self) -> None:
        """The sums that are still missing."""
        if self.zero:
            self.sharded.add_tied_gradients()
            self.zero.finish()
        else:
            self.copies.finish()
            self.sharded.add_tied_gradients()

    def _whole_loss(self) -> float:
        """The sum of the weighted losses of all micro-batches and data ranks, on every rank."""
        weight = next(self.model.parameters())
        dtype = torch.promote_types(weight.dtype, torch.float32)
        total = torch.zeros(1, dtype=dtype, device=self._device)
        for loss in self.run.losses.values():
            total += loss
        all_reduce(total, self.mesh.data, "loss")
        return broadcast(total, self.mesh.pipeline, self.mesh.pipeline.size - 1, "loss").item()

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """Count what a forward pass keeps for its backward pass, if the layout says so."""
        if not self.layout.measure:
            yield
            return
        with saved_bytes(self.model.parameters()) as saved:
            yield
            self._saved = max(self._saved, saved.total)

    def _measure(self) -> None:
        """What lies in memory when the backward pass has ended."""
        parameters = list(self.model.parameters())
        if self.zero:
            held, gradients = self.zero.parameter_bytes(), self.zero.gradient_bytes()
        else:
            held, gradients = bytes_of(parameters), bytes_of(p.grad for p in parameters)
        self.memory = RankMemory(
            parameters=held,
            gradients=gradients,
            optimizer=0,
            activations=self._saved * self.run.most_in_flight,
        )
