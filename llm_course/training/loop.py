"""The training loop: a batch, its gradient, a step; and again.

It knows no task: what a batch is worth comes from ``loss``, what is measured on the way from
``evaluate``, and what is logged or kept from ``after_step``. It draws no random numbers, so that a
run can be repeated bit by bit. How a step is spread over processes is the ``strategy``'s.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn
from tqdm import tqdm

from llm_course.errors import CourseError
from llm_course.training.accumulation import Batch, Loss
from llm_course.training.config import TrainingConfig
from llm_course.training.loss import next_token_loss
from llm_course.training.schedule import learning_rate
from llm_course.training.state import TrainingState, begin_training
from llm_course.training.strategy import SingleProcess, Strategy


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """What happened in one step.

    Args:
        step: which step, from 0.
        loss: mean over the batch's targets, in nats, before the step.
        learning_rate: of this step.
        grad_norm: length of the whole gradient, before it was clipped; not finite if it
            overflowed in fp16, and then the step was left out.
        n_targets: targets that counted.
        evaluation: what ``evaluate`` returned after the step, if it was called.
        loss_scale: what the loss was multiplied by, in fp16.
    """

    step: int
    loss: float
    learning_rate: float
    grad_norm: float
    n_targets: int
    evaluation: float | None = None
    loss_scale: float | None = None


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
    strategy: Strategy | None = None,
    state: TrainingState | None = None,
    after_step: Callable[[TrainingState, StepRecord], None] | None = None,
) -> list[StepRecord]:
    """Train a model, in place: one step of AdamW for each batch.

    A progress bar is shown where the standard error is a terminal.

    Args:
        model: what is trained; afterwards in training mode.
        batches: one for each step that is left; no more are taken.
        config: the numbers of the run.
        loss: what is made small.
        evaluate: measures the model, in evaluation mode and without gradients.
        strategy: how a step is spread over processes; one process if not given.
        state: where to go on, such as one that a checkpoint was read into; its model is ``model``.
            Batches then begin with that of its next step.
        after_step: told of every step when it is done, to log it, or to keep the state.

    Returns:
        One record for each step that was made.

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
    strategy = strategy or SingleProcess(next(model.parameters()).device)
    state = state or begin_training(model, config, strategy.prepare(model))
    history: list[StepRecord] = []
    stream = iter(batches)
    model.train()
    hidden = None if strategy.rank == 0 else True
    with tqdm(
        total=config.n_steps, initial=state.step, unit="step", desc="train", disable=hidden
    ) as bar:
        while state.step < config.n_steps:
            batch = _next_batch(stream, state.step, config.n_steps)
            record = _train_step(state, batch, config, loss, strategy, history)
            if evaluate is not None and _is_due(record.step, config):
                record = replace(record, evaluation=_measure(model, evaluate, strategy))
            history.append(record)
            if after_step is not None:
                after_step(state, record)
            bar.set_postfix(loss=f"{record.loss:.3f}", refresh=False)
            bar.update()
    return history


def _train_step(
    state: TrainingState,
    batch: Batch,
    config: TrainingConfig,
    loss: Loss,
    strategy: Strategy,
    history: list[StepRecord],
) -> StepRecord:
    """One step, or ``NonFiniteLoss`` and no step."""
    step, scaler = state.step, state.scaler
    state.optimizer.zero_grad(set_to_none=True)
    value, n_targets = strategy.gradient(state, batch, config, loss)
    if not math.isfinite(value):
        raise NonFiniteLoss("loss", value, step, history)
    weights = [weight for weight in state.model.parameters() if weight.requires_grad]
    scale = None if scaler is None else scaler.scale
    fits = scaler is None or strategy.all_finite(scaler.unscale(weights))
    norm = strategy.clip(weights, config.max_grad_norm).item() if fits else math.inf
    # Without a scale, or with one that cannot be the reason, the gradient itself is not finite.
    if not math.isfinite(norm) and (scale is None or scale <= 1):
        raise NonFiniteLoss("gradient's norm", norm, step, history)
    rate = learning_rate(step, config)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    if math.isfinite(norm):
        state.optimizer.step()
    if scaler is not None:
        scaler.update(math.isfinite(norm))
    state.step += 1
    return StepRecord(
        step=step,
        loss=value,
        learning_rate=rate,
        grad_norm=norm,
        n_targets=n_targets,
        loss_scale=scale,
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
def _measure(model: nn.Module, evaluate: Callable[[nn.Module], float], strategy: Strategy) -> float:
    """Evaluate in evaluation mode, and go back to training mode whatever happens."""
    with strategy.use(model) as whole:
        whole.eval()
        try:
            return evaluate(whole)
        finally:
            whole.train()
