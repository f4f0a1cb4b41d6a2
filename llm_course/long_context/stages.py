"""Fine-tuning to a longer context in stages: 2K, then 8K, then 32K tokens.

Most of what a model needs for long texts it can learn on texts of middle length, which are cheaper:
attention over ``n`` tokens costs ``n²``. A stage is an ordinary training run on texts of its
length; the next one goes on with its weights. With a scaling the positions of each stage are
stretched to its length; without one this is the deck's direct fine-tuning.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from llm_course.long_context.position_interpolation import stretch_factor
from llm_course.long_context.rope_scaling import (
    RopeScaling,
    ScalingKind,
    check_rotary,
    stretched,
    with_config,
)
from llm_course.model.config_parts import check_choice, check_size
from llm_course.model.decoder import Decoder
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import Batch, StepRecord, train


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of the plan.

    Args:
        context_length: tokens of each text.
        batch_size: texts of a step.
        n_steps: steps of the stage.

    Raises:
        ValueError: a size is not positive.

    >>> Stage(context_length=8192, batch_size=4, n_steps=100).n_tokens
    3276800
    """

    context_length: int
    batch_size: int
    n_steps: int

    def __post_init__(self) -> None:
        for name in ("context_length", "batch_size", "n_steps"):
            check_size(name, getattr(self, name))

    @property
    def n_tokens(self) -> int:
        """Tokens that the stage reads."""
        return self.context_length * self.batch_size * self.n_steps


@dataclass(frozen=True, kw_only=True)
class StageRecord:
    """A stage that was run.

    Args:
        stage: what was planned.
        history: one record for each step.
    """

    stage: Stage
    history: list[StepRecord]


def plan_stages(
    original: int, target: int, *, n_steps: int, tokens_per_step: int, growth: int = 4
) -> list[Stage]:
    """Lengths that grow by ``growth`` from the trained one, until the target is reached.

    Steps are shared out evenly, what does not divide to the last stages. A step reads as many
    tokens in each: longer texts, fewer of them.

    Args:
        original: tokens of the longest text that the model was trained on.
        target: tokens of the longest text that it is to read.
        n_steps: steps of all stages together.
        tokens_per_step: of a batch; one text at least is read.
        growth: how many times longer each stage is than the one before.

    Raises:
        ValueError: the target is not longer than the original, or a number is out of range.

    >>> [stage.context_length for stage in plan_stages(2048, 32768, n_steps=10, tokens_per_step=1)]
    [8192, 32768]
    """
    if stretch_factor(original, target) == 1:
        raise ValueError(f"target: expected more than original={original}, got {target}.")
    if growth < 2:
        raise ValueError(f"growth: expected 2 or more, got {growth}.")
    check_size("tokens_per_step", tokens_per_step)
    lengths = [original]
    while lengths[-1] < target:
        lengths.append(min(lengths[-1] * growth, target))
    lengths = lengths[1:]
    if n_steps < len(lengths):
        raise ValueError(
            f"n_steps: expected at least {len(lengths)}, one for each stage, got {n_steps}."
        )
    share, rest = divmod(n_steps, len(lengths))
    return [
        Stage(
            context_length=length,
            batch_size=max(1, tokens_per_step // length),
            n_steps=share + (i >= len(lengths) - rest),
        )
        for i, length in enumerate(lengths)
    ]


def train_in_stages(
    model: Decoder,
    stages: Sequence[Stage],
    batches: Callable[[Stage], Iterable[Batch]],
    config: TrainingConfig,
    *,
    scaling: ScalingKind | None = None,
    evaluate: Callable[[Decoder], float] | None = None,
) -> tuple[Decoder, list[StageRecord]]:
    """Train a model, in place, stage by stage, and return it as the last stage reads.

    Args:
        model: a decoder with RoPE, as it was trained on ``config.context_length`` tokens.
        stages: what is run; lengths may not fall.
        batches: tokens and targets for a stage, of its length.
        config: the numbers of every stage but ``n_steps``.
        scaling: the method by which positions are stretched; not at all if not given.
        evaluate: as in ``training.loop.train``, once for each stage's own rhythm.

    Returns:
        The same weights under the last stage's config, and one record for each stage.

    Raises:
        ValueError: there is no stage, a length falls or lies below the trained one, a batch has
            another length than its stage, or the warm-up does not fit into a stage.
        NonFiniteLoss: as ``training.loop.train``.
    """
    original = check_rotary(model.config).context_length
    if scaling is not None:
        check_choice("scaling", scaling, ScalingKind)
    _check_order(stages, original)
    # A stage that could not begin is found before hours are spent on those before it.
    runs = [replace(config, n_steps=stage.n_steps) for stage in stages]
    longer, records = model, []
    for stage, run in zip(stages, runs, strict=True):
        longer = _read_at(model, original, stage.context_length, scaling)
        checked = _of_length(batches(stage), stage.context_length)
        history = train(longer, checked, run, evaluate=evaluate)
        records.append(StageRecord(stage=stage, history=history))
    return longer, records


def _read_at(model: Decoder, original: int, length: int, scaling: ScalingKind | None) -> Decoder:
    """The model as a stage of this length reads it."""
    if scaling is None:
        return with_config(model, replace(model.config, context_length=length))
    factor = stretch_factor(original, length)
    return stretched(model, RopeScaling(kind=scaling, factor=factor, original=original), length)


def _of_length(batches: Iterable[Batch], length: int) -> Iterator[Batch]:
    """The batches, each looked at before it is used."""
    for tokens, targets in batches:
        if tokens.shape[-1] != length:
            raise ValueError(
                f"batches: expected the stage's {length} tokens a text, got {tokens.shape[-1]}. "
                "Fix: cut the texts anew for each stage."
            )
        yield tokens, targets


def _check_order(stages: Sequence[Stage], original: int) -> None:
    if not stages:
        raise ValueError("stages: expected at least one, got none.")
    lengths = [original, *(stage.context_length for stage in stages)]
    for before, after in pairwise(lengths):
        if after < before:
            raise ValueError(
                f"stages: expected lengths that grow from {before}, got {after}. "
                "Fix: begin with the shortest (plan_stages)."
            )
