"""What a run would need on many GPUs, before it is run: memory of a rank, traffic, tokens a second.

A rank's weights are counted exactly, from the shapes of its stage and of its part of each matrix.
Weights and gradients are in fp32 and AdamW has two moments, as the engines keep them; ZeRO's stage
says which of the three are divided over the ranks that share rows (0 is DDP, 3 is FSDP2).
Activations are an estimate, and a step's time a bound from below on speed: traffic is counted as if
nothing overlapped with it. Leaves out what a block of FSDP2 takes while it is put together.
"""

from dataclasses import dataclass

import torch

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.model.feed_forward import GATED
from llm_course.parallel.costs import (
    bubble_fraction,
    gather_bytes,
    tensor_parallel_bytes,
    zero_bytes,
    zero_memory,
)
from llm_course.parallel.pipeline_stage import keep_stage, stage_layers
from llm_course.pretrained.pretrained_model import NoInitialWeights
from llm_course.recipes.engines.tensor_parallel import check_divisible, divided_axis
from llm_course.recipes.train.plan import flops_per_token, planned_config
from llm_course.recipes.train.recipe import TrainRecipe


@dataclass(frozen=True, kw_only=True)
class Machines:
    """The GPUs of a plan, and how a model is laid out over them.

    Args:
        n_gpus: how many.
        zero: ZeRO's stage over the ranks that share rows.
        tensor: parts of each matrix.
        pipeline: stages.
        n_microbatches: of a pipeline; if 0 the recipe's accumulation, or as many as it has stages.
        peak_flops: of one GPU, in FLOP a second; the default is an H100's, bf16, dense.
        utilisation: the share of the peak that is reached.
        bandwidth: bytes a second that a GPU sends to others.

    Raises:
        CourseError: the sizes do not divide, or are out of range.

    >>> Machines(n_gpus=64, zero=3, tensor=8).data
    8
    """

    n_gpus: int
    zero: int = 0
    tensor: int = 1
    pipeline: int = 1
    n_microbatches: int = 0
    peak_flops: float = 989e12
    utilisation: float = 0.4
    bandwidth: float = 50e9

    def __post_init__(self) -> None:
        least = {"n_gpus": 1, "tensor": 1, "pipeline": 1, "n_microbatches": 0, "zero": 0}
        for name, number in least.items():
            if getattr(self, name) < number:
                raise CourseError(
                    f"--{name.removeprefix('n_')}: expected {number} or more, got "
                    f"{getattr(self, name)}. Fix: another number"
                )
        if self.zero > 3:
            raise CourseError(f"--zero: expected 0, 1, 2 or 3, got {self.zero}. Fix: name one")
        if self.n_gpus % (self.tensor * self.pipeline):
            raise CourseError(
                f"--gpus: expected a multiple of tensor * pipeline = "
                f"{self.tensor * self.pipeline}, got {self.n_gpus}. Fix: another number"
            )

    @property
    def data(self) -> int:
        """Ranks that share rows."""
        return self.n_gpus // (self.tensor * self.pipeline)

    def parts(self, accumulation: int) -> int:
        """Into how many parts a rank's rows are cut: micro-batches, or those of accumulation."""
        if self.pipeline == 1:
            return accumulation
        return self.n_microbatches or max(self.pipeline, accumulation)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """What the rank that needs most would need.

    Args:
        n_parameters: of its stage and its part of each matrix.
        weights: bytes.
        gradients: bytes.
        optimizer: bytes.
        activations: bytes, estimated.
        sent: bytes a step.
        seconds: of a step.
        tokens_per_second: of all GPUs.
    """

    n_parameters: int
    weights: float
    gradients: float
    optimizer: float
    activations: float
    sent: float
    seconds: float
    tokens_per_second: float


def spread(recipe: TrainRecipe, machines: Machines) -> Spread:
    """What a recipe would need on machines; nothing is allocated, however large the model.

    Raises:
        CourseError: the model or its batch cannot be laid out so.
    """
    config = planned_config(recipe)
    n_parts = machines.parts(recipe.training.accumulation)
    rows = _rows(recipe, machines, n_parts)
    n_parameters = max(
        _rank_parameters(config, machines, stage) for stage in range(machines.pipeline)
    )
    parts = {
        name: zero_memory(machines.zero, n_parameters, machines.data, **_only(name, size))
        for name, size in (("weight", 4), ("gradient", 4), ("optimizer", 8))
    }
    sent = _sent(config, machines, rows, n_parameters, n_parts)
    n_tokens = recipe.run.batch_size * config.context_length
    with torch.device("meta"), NoInitialWeights():
        whole = Decoder(config).n_parameters
    flops = n_tokens * flops_per_token(config, whole) / machines.n_gpus
    bubble = bubble_fraction(machines.pipeline, n_parts)
    seconds = flops / (machines.peak_flops * machines.utilisation) / (1 - bubble)
    seconds += sent / machines.bandwidth
    return Spread(
        n_parameters=n_parameters,
        weights=parts["weight"],
        gradients=parts["gradient"],
        optimizer=parts["optimizer"],
        activations=activation_bytes(config, machines, -(-rows // n_parts), recipe.run.recompute),
        sent=sent,
        seconds=seconds,
        tokens_per_second=n_tokens / seconds,
    )


def activation_bytes(
    config: DecoderConfig, machines: Machines, n_rows: int, recompute: bool
) -> float:
    """What the first stage keeps of parts of ``n_rows`` at the most, as if all were in fp32.

    A block keeps about ``b t (6 d + (4 d + c f) / n_tensor)`` numbers, ``c`` being 4 for SwiGLU, 5
    with another gate and 3 without one: each norm's input, output and the copy that a product
    reads, whole on every rank; queries, keys, values and what attention gives, and the hidden
    features, in parts. With ``recompute`` it keeps its input ``b t d``, and one block at a time
    keeps the rest. A pipeline has as many micro-batches in flight as stages. Fused attention keeps
    no scores.

    Source:
        counted as in Korthikanti et al. 2022, arXiv:2205.05198, section 4, for these blocks.
    """
    kinds = {"swiglu": 4} | dict.fromkeys(GATED - {"swiglu"}, 5)
    hidden = kinds.get(config.feed_forward, 3) * config.d_ff
    inside = 6 * config.d_model + (4 * config.d_model + hidden) / machines.tensor
    n_layers = len(stage_layers(config.n_layers, machines.pipeline)[0])
    numbers = n_layers * machines.pipeline * (config.d_model if recompute else inside)
    numbers += inside if recompute else 0
    if machines.pipeline == 1:  # the final norm, and the gradient that the loss has at once
        numbers += 4 * config.d_model
    return 4.0 * n_rows * config.context_length * numbers


def spread_lines(found: Spread, machines: Machines) -> list[str]:
    """A plan for many GPUs in words."""
    state = found.weights + found.gradients + found.optimizer
    sizes = ", ".join(
        f"{name} {size / 1e9:.2f} GB"
        for name, size in (
            ("weights", found.weights),
            ("gradients", found.gradients),
            ("moments of AdamW", found.optimizer),
        )
    )
    return [
        f"{machines.n_gpus} GPUs: {machines.data} data (ZeRO {machines.zero}) x {machines.tensor} "
        f"tensor x {machines.pipeline} pipeline",
        f"memory, one rank: {sizes}, activations about {found.activations / 1e9:.2f} GB, "
        f"together about {(state + found.activations) / 1e9:.2f} GB",
        f"a step: {found.sent / 1e9:.2f} GB sent by a rank at {machines.bandwidth / 1e9:g} GB/s, "
        f"{found.seconds:.2f} s, {found.tokens_per_second:,.0f} tokens a second "
        f"(at {100 * machines.utilisation:g} % of {machines.peak_flops / 1e12:g} TFLOP/s, "
        "nothing overlapped)",
    ]


def _rows(recipe: TrainRecipe, machines: Machines, n_parts: int) -> int:
    """The rows that a rank computes before a step."""
    even = machines.data * (n_parts if machines.pipeline > 1 else 1)
    if recipe.run.batch_size % even:
        raise CourseError(
            f"batch_size: expected a multiple of data * micro-batches = {even}, got "
            f"{recipe.run.batch_size}. Fix: another layout, or another batch_size"
        )
    return recipe.run.batch_size // machines.data


def _rank_parameters(config: DecoderConfig, machines: Machines, stage: int) -> int:
    """The parameters of a rank of a stage, its tensor group's first."""
    with torch.device("meta"), NoInitialWeights():
        model = Decoder(config)
    check_divisible(model, machines.tensor)
    try:
        keep_stage(model, stage, machines.pipeline)
    except ValueError as error:
        raise CourseError(f"--pipeline: {error} Fix: another number") from error
    total = 0
    for name, weight in model.named_parameters():
        axis = divided_axis(name)
        divided = 1 if axis is None else -(-weight.shape[axis] // machines.tensor)
        total += weight.numel() if axis is None else weight.numel() // weight.shape[axis] * divided
    return total


def _sent(
    config: DecoderConfig, machines: Machines, rows: int, n_parameters: int, n_parts: int
) -> float:
    """Bytes that a rank sends in a step: gradients and weights, matrices' sums, and streams."""
    sent = zero_bytes(machines.zero, machines.data, 4 * n_parameters)
    if machines.zero == 3:  # the weights are gathered again, twice, for each further part
        sent += 2 * (n_parts - 1) * gather_bytes(machines.data, 4 * n_parameters)
    n_layers = len(stage_layers(config.n_layers, machines.pipeline)[0])
    layer = tensor_parallel_bytes(machines.tensor, rows, config.context_length, config.d_model)
    stream = 4.0 * rows * config.context_length * config.d_model
    ends = (
        2 * stream if machines.pipeline > 1 else 0.0
    )  # forward to one side, backward to the other
    return sent + n_layers * layer + ends


def _only(name: str, size: int) -> dict[str, int]:
    """One of ``zero_memory``'s three terms."""
    return {"weight": 0, "gradient": 0, "optimizer": 0} | {name: size}
