"""Training on a mesh: the same step as on one process, each rank with its part of the work.

Every rank draws the same whole batch and takes its rows; afterwards all have the same record.
Leaves out mixed precision and checkpoints.
"""

import math
from dataclasses import replace

import torch
from torch import nn

from llm_course.model.decoder import Decoder
from llm_course.parallel.gradient_norm import clip, gradient_norm
from llm_course.parallel.gradients import Gradients
from llm_course.parallel.layout import Layout
from llm_course.parallel.memory import RankMemory, optimizer_bytes
from llm_course.parallel.mesh import Mesh
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import Batch, NonFiniteLoss, StepRecord
from llm_course.training.optimizer import AdamW, parameter_groups
from llm_course.training.schedule import warmup_cosine


class ParallelTrainer:
    """One rank's side of a training run.

    Args:
        model: the whole decoder, the same on all ranks; this rank's part of it is left.
        mesh: the rank's place, of the layout's sizes.
        layout: how the run is laid out.
        config: the numbers of the run; in place of ``accumulation`` there is the layout's
            ``n_microbatches``.

    Raises:
        ValueError: the layout does not fit the mesh, or the model.

    >>> from llm_course.model.config import DecoderConfig
    >>> model = Decoder(DecoderConfig(
    ...     vocab_size=3, context_length=4, d_model=8, n_layers=1, n_heads=1, d_ff=8
    ... ))
    >>> config = TrainingConfig(n_steps=30, learning_rate=0.05)
    >>> trainer = ParallelTrainer(model, Mesh(), Layout(), config)
    >>> batch = torch.tensor([[0, 1, 2]]), torch.tensor([[1, 2, 0]])
    >>> losses = [trainer.step(batch).loss for _ in range(30)]
    >>> losses[0] > 1.0 > 0.05 > losses[-1]  # log 3 = 1.0986 at first
    True
    """

    def __init__(self, model: Decoder, mesh: Mesh, layout: Layout, config: TrainingConfig) -> None:
        self.config, self.n_steps = config, 0
        self.gradients = Gradients(model.train(), mesh, layout)
        self.optimizer = self._make_optimizer(model)

    def step(self, batch: Batch) -> StepRecord:
        """One step; every rank passes the same whole batch, and gets the same record.

        Shapes:
            tokens, targets ``b t``.

        Raises:
            NonFiniteLoss: the loss or its gradient is not finite; the weights are those before.
            RankLost: a rank is not there.
            ValueError: the rows cannot be dealt out, or no target counts, or the run has ended.
        """
        rate = self._learning_rate()
        loss, n_targets = self.gradients.compute(batch)
        if not math.isfinite(loss):
            raise NonFiniteLoss("loss", loss, self.n_steps, [])
        norm = self._clip()
        if not math.isfinite(norm):
            raise NonFiniteLoss("gradient's norm", norm, self.n_steps, [])
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        if self.gradients.zero:
            self.gradients.zero.publish()
        self.n_steps += 1
        return StepRecord(
            step=self.n_steps - 1, loss=loss, learning_rate=rate, grad_norm=norm,
            n_targets=n_targets,
        )  # fmt: skip

    @property
    def memory(self) -> RankMemory:
        """Bytes on this rank when the last step's backward pass had ended."""
        return replace(self.gradients.memory, optimizer=optimizer_bytes(self.optimizer))

    def _clip(self) -> float:
        """Scale the gradient down if it is too long; its length before."""
        own = self.gradients.parameters
        norm = gradient_norm(
            [(name, p.grad) for name, p in own if p.grad is not None],
            self.gradients.sharded.counts,
            self.gradients.norm_groups(),
            own[0][1],
        )
        if math.isfinite(norm):
            clip([p for _, p in own], norm, self.config.max_grad_norm)
        return norm.item()

    def _learning_rate(self) -> float:
        return warmup_cosine(
            self.n_steps,
            peak=self.config.learning_rate,
            n_steps=self.config.n_steps,
            warmup_steps=self.config.warmup_steps,
            minimum=self.config.minimum_learning_rate,
        )

    def _make_optimizer(self, model: Decoder) -> torch.optim.Optimizer:
        """AdamW on what this rank looks after, which decays as it does on one process."""
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        own: dict[str, nn.Parameter] = dict(self.gradients.parameters)
        groups = []
        for group in parameter_groups(model, self.config.weight_decay):
            found = [own[n] for n in (names[id(p)] for p in group["params"]) if n in own]
            if found:
                groups.append({**group, "params": found})
        rest = {
            "lr": self.config.learning_rate, "betas": self.config.betas, "eps": self.config.eps,
        }  # fmt: skip
        if self.config.fused:
            return torch.optim.AdamW(groups, fused=True, **rest)
        return AdamW(groups, **rest)
