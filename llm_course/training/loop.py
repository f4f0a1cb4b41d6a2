"""The training loop: a batch, its gradient, a step; and again.

It knows no task: what a batch is worth comes from ``loss``, and what is measured on the way from
``evaluate``. It draws no random numbers, so that a run can be repeated bit by bit. Leaves out
mixed precision, checkpoints and several devices.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from tqdm import tqdm

from llm_course.errors import CourseError
from llm_course.training.config import TrainingConfig
from llm_course.training.loss import IGNORE, next_token_loss
from llm_course.training.optimizer import make_optimizer
from llm_course.training.schedule import warmup_cosine

Batch = tuple[Tensor, Tensor]
"""Tokens and their targets, ``b t`` each."""

Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""The mean loss over the targets that are not ``IGNORE``, as ``loss(model, tokens, targets)``."""


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """What happened in one step.

    Args:
        step: which step, from 0.
        loss: mean over the batch's targets, in nats, before the step.
        learning_rate: of this step.
        grad_norm: length of the whole gradient, before it was clipped.
        n_targets: targets that counted.
        evaluation: what ``evaluate`` returned after the step, if it was called.
    """

    step: int
    loss: float
    learning_rate: float
    grad_norm: float
    n_targets: int
    evaluation: float | None = None


class NonFiniteLoss(CourseError):
    """The loss or its gradient is infinite or not a number.

    The weights are as they were before the step, and ``history`` holds the steps before it.
    """

    def __init__(self, what: str, value: float, step: int, history: list[StepRecord]) -> None:
        self.step, self.history = step, history
        super().__init__(
            f"{what}: expected a finite number, got {value} at step {step}. Fix: lower "
            "learning_rate, lengthen warmup_steps or lower max_grad_norm; at step 0, look for "
            "NaN or infinity in the weights and in the loss."
        )


def train(
    model: nn.Module,
    batches: Iterable[Batch],
    config: TrainingConfig,
    *,
    loss: Loss = next_token_loss,
    evaluate: Callable[[nn.Module], float] | None = None,
) -> list[StepRecord]:
    """Train a model, in place: one step of AdamW for each batch.

    A progress bar is shown where the standard error is a terminal.

    Args:
        model: what is trained; afterwards in training mode.
        batches: at least ``config.n_steps`` of them; no more are taken.
        config: the numbers of the run.
        loss: what is made small.
        evaluate: measures the model, in evaluation mode and without gradients.

    Returns:
        One record for each step.

    Raises:
        NonFiniteLoss: the loss or its gradient is not finite; the weights are those before.
        ValueError: the batches end too early, or a batch has no target that counts.

    >>> from llm_course.model.config import DecoderConfig
    >>> from llm_course.model.decoder import Decoder
    >>> model = Decoder(DecoderConfig(
    ...     vocab_size=3, context_length=4, d_model=8, n_layers=1, n_heads=1, d_ff=8
    ... ))
    >>> batch = torch.tensor([[0, 1, 2]]), torch.tensor([[1, 2, 0]])
    >>> history = train(model, [batch] * 30, TrainingConfig(n_steps=30, learning_rate=0.05))
    >>> history[0].loss > 1.0 > 0.05 > history[-1].loss  # log 3 = 1.0986 at first
    True
    """
    optimizer = make_optimizer(
        model,
        config.learning_rate,
        weight_decay=config.weight_decay,
        betas=config.betas,
        eps=config.eps,
        fused=config.fused,
    )
    history: list[StepRecord] = []
    stream = iter(batches)
    model.train()
    with tqdm(total=config.n_steps, unit="step", desc="train", disable=None) as bar:
        for step in range(config.n_steps):
            batch = _next_batch(stream, step, config.n_steps)
            record = _train_step(model, optimizer, batch, config, loss, history)
            if evaluate is not None and _is_due(step, config):
                record = replace(record, evaluation=_measure(model, evaluate))
            history.append(record)
            bar.set_postfix(loss=f"{record.loss:.3f}", refresh=False)
            bar.update()
    return history


def accumulate_gradient(
    model: nn.Module, batch: Batch, loss: Loss, n_parts: int = 1
) -> tuple[float, int]:
    """Add a batch's gradient to ``.grad``, in parts, and return its loss and its targets.

    The loss is the mean over **all** targets of the batch. A part's own mean counts by its share
    of the targets, ``Σ_p (n_p / n) loss_p``: the plain mean of the parts would give the targets
    of a part with much padding too much weight.

    Args:
        model: what has the weights.
        batch: tokens and targets.
        loss: the mean loss of a part.
        n_parts: how many parts the batch is cut into, along ``b``.

    Shapes:
        tokens, targets ``b t``.

    Raises:
        ValueError: no target counts.
    """
    tokens, targets = batch
    n_targets = int((targets != IGNORE).sum())
    if n_targets == 0:
        raise ValueError(
            f"targets: expected one that counts, got only {IGNORE} in shape {tuple(targets.shape)}."
        )
    device, total = next(model.parameters()).device, torch.zeros(())
    for part in zip(tokens.chunk(n_parts), targets.chunk(n_parts), strict=True):
        share = int((part[1] != IGNORE).sum()) / n_targets
        if share > 0:
            part_loss = loss(model, *(tensor.to(device) for tensor in part)) * share
            part_loss.backward()
            total = total.to(part_loss) + part_loss.detach()
    return total.item(), n_targets


def _train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: TrainingConfig,
    loss: Loss,
    history: list[StepRecord],
) -> StepRecord:
    """One step, or ``NonFiniteLoss`` and no step."""
    step, weights = len(history), [w for w in model.parameters() if w.requires_grad]
    optimizer.zero_grad(set_to_none=True)
    value, n_targets = accumulate_gradient(model, batch, loss, config.accumulation)
    if not math.isfinite(value):
        raise NonFiniteLoss("loss", value, step, history)
    limit = math.inf if config.max_grad_norm is None else config.max_grad_norm
    norm = nn.utils.clip_grad_norm_(weights, limit).item()
    if not math.isfinite(norm):
        raise NonFiniteLoss("gradient's norm", norm, step, history)
    rate = warmup_cosine(
        step,
        peak=config.learning_rate,
        n_steps=config.n_steps,
        warmup_steps=config.warmup_steps,
        minimum=config.minimum_learning_rate,
    )
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    return StepRecord(
        step=step, loss=value, learning_rate=rate, grad_norm=norm, n_targets=n_targets
    )


def _next_batch(stream: Iterator[Batch], step: int, n_steps: int) -> Batch:
    """The next batch, or an error that says how many there were."""
    for batch in stream:
        return batch
    raise ValueError(
        f"batches: expected {n_steps}, one for each step, got {step}. "
        "Fix: repeat them (itertools.cycle), or lower n_steps."
    )


def _is_due(step: int, config: TrainingConfig) -> bool:
    """Whether this step is followed by an evaluation; the last one always is."""
    if step + 1 == config.n_steps:
        return True
    return config.evaluate_every > 0 and (step + 1) % config.evaluate_every == 0


@torch.no_grad()
def _measure(model: nn.Module, evaluate: Callable[[nn.Module], float]) -> float:
    """Evaluate in evaluation mode, and go back to training mode whatever happens."""
    model.eval()
    try:
        return evaluate(model)
    finally:
        model.train()
