"""Tensor parallelism by PyTorch's DTensor (``parallelize_module``).

Attention: query, key and value by columns, which are whole heads, the output by rows. Feed-forward:
gate and up by columns, down by rows. The embedding is divided by vocabulary. Norms are copies. A
tied or untied output matrix is kept divided and put together for the loss, which every process
computes alike: the products with it are not shared.
"""

from functools import partial

from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.tensor import DTensor, Replicate, distribute_module
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    ParallelStyle,
    RowwiseParallel,
    parallelize_module,
)

from llm_course.errors import CourseError
from llm_course.model.decoder import Decoder
from llm_course.recipes.engines.engine import Engine


class TensorParallelEngine(Engine):
    """DTensor as a strategy: every process has all rows and a part of every matrix."""

    def lay_out(self, model: Decoder) -> nn.Module:
        """The decoder with its matrices divided, in place.

        Raises:
            CourseError: the model cannot be divided by so many processes.
        """
        check_divisible(model, self.world_size)
        mesh = init_device_mesh(self.device.type, (self.world_size,))
        parallelize_module(model, mesh, plan_of(model))
        for block in model.blocks:
            block.attention.n_heads //= self.world_size
            block.attention.n_kv_heads //= self.world_size
        return WholeOutput(model)


def check_divisible(model: Decoder, n_ranks: int) -> None:
    """Refuse a model whose heads or features cannot be shared evenly.

    Raises:
        CourseError: a size is no multiple, or the positions are a bias of the scores.
    """
    for name in ("n_heads", "n_kv_heads", "d_ff"):
        size = getattr(model.config, name)
        if size % n_ranks:
            raise CourseError(
                f"{name}: expected a multiple of {n_ranks} processes for the strategy tensor, got "
                f"{size}. Fix: another number of processes, or another model"
            )
    if model.config.position in ("alibi", "t5"):
        raise CourseError(
            f"position: expected rope, learned, sinusoidal or none for the strategy tensor, got "
            f"{model.config.position!r}, a bias of all heads. Fix: --strategy fsdp"
        )


def plan_of(model: Decoder) -> dict[str, ParallelStyle]:
    """How each module is divided, by its name.

    >>> from llm_course.model.config import DecoderConfig
    >>> sizes = {"context_length": 8, "d_model": 4, "n_layers": 1, "n_heads": 2, "d_ff": 4}
    >>> plan = plan_of(Decoder(DecoderConfig(vocab_size=4, **sizes)))
    >>> sorted(name for name, style in plan.items() if isinstance(style, RowwiseParallel))
    ['blocks.0.attention.output', 'blocks.0.feed_forward.down', 'embedding']
    """
    plan: dict[str, ParallelStyle] = {}
    for name, module in model.named_modules():
        last = name.rsplit(".", 1)[-1]
        if name == "embedding":
            plan[name] = RowwiseParallel(input_layouts=Replicate())
        elif name == "output" or last in ("query", "key", "value", "gate", "up"):
            plan[name] = ColwiseParallel()
        elif last == "down" or name.endswith("attention.output"):
            plan[name] = RowwiseParallel()
        elif any(True for _ in module.parameters(recurse=False)):
            plan[name] = Copies()
    return plan


def divided_axis(name: str) -> int | None:
    """Along which axis a weight is divided by its full name; None for one that is copied.

    >>> divided_axis("blocks.0.attention.query.weight"), divided_axis("blocks.0.attention.output.bias")
    (0, None)
    """  # noqa: E501
    module, kind = name.rsplit(".", 1)
    last = module.rsplit(".", 1)[-1]
    if module in ("embedding", "output") or last in ("query", "key", "value", "gate", "up"):
        return 0
    by_rows = last == "down" or module.endswith("attention.output")
    return 1 if by_rows and kind == "weight" else None


class Copies(ParallelStyle):
    """A module that every process has whole, with weights that are DTensors like the others'."""

    def _apply(self, module: nn.Module, device_mesh: DeviceMesh) -> nn.Module:
        return distribute_module(module, device_mesh, None, partial(_enter), partial(_leave))


class WholeOutput(nn.Module):
    """A divided decoder as a loss sees it: its features and its output matrix are whole.

    Args:
        model: the decoder.
    """

    def __init__(self, model: Decoder) -> None:
        super().__init__()
        self.model = model

    def features(self, tokens: Tensor) -> Tensor:
        """Shapes: tokens ``b t``; returns ``b t d_model``."""
        return self.model.features(tokens)

    @property
    def output_weight(self) -> Tensor:
        """The output matrix ``v d_model``; its gradient goes back to the parts."""
        return self.model.output_weight.full_tensor()


def _enter(module: nn.Module, inputs: tuple[Tensor, ...], mesh: DeviceMesh) -> tuple[Tensor, ...]:
    return tuple(DTensor.from_local(x, mesh, [Replicate()], run_check=False) for x in inputs)


def _leave(module: nn.Module, output: DTensor, mesh: DeviceMesh) -> Tensor:
    return output.to_local()
