"""Activation checkpointing: forget what a block computed inside, and compute it again when needed.

The backward pass needs the activations of the forward pass, which take most of the memory of
training. With checkpoints only the input of each block is kept; a block's inside is computed a
second time, just before its gradient, and forgotten again. Memory falls from all of the blocks to
one, and the forward pass is paid twice: about a third more work. The gradients are the
same bit by bit as long as a kernel does not depend on whether gradients are asked for. Leaves out
choosing what is cheap to recompute within a block.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.autograd.graph import saved_tensors_hooks

from llm_course.model.stack import Stack


def recompute(function: Callable[..., Tensor], *inputs: Any, weights: tuple[Tensor, ...]) -> Tensor:
    """``function(*inputs)``, of which only the inputs are kept for the backward pass.

    Args:
        function: what is computed; it must give the same result twice.
        inputs: tensors, of which gradients are taken, and anything else.
        weights: the tensors inside the function that are to get a gradient too.

    Source:
        Chen et al. 2016, arXiv:1604.06174, section 3.

    >>> x = torch.tensor([2.0], requires_grad=True)
    >>> recompute(lambda x: x.exp().log() * x, x, weights=()).backward()
    >>> round(x.grad.item(), 4)  # of x²
    4.0
    """
    if not torch.is_grad_enabled():
        return function(*inputs)
    return _Recompute.apply(function, len(inputs), *inputs, *weights)


class _Recompute(torch.autograd.Function):
    """A function whose inside is computed again for the backward pass."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, function: Callable[..., Tensor], n_inputs: int, *values: Any
    ) -> Tensor:
        inputs, ctx.weights = values[:n_inputs], values[n_inputs:]
        ctx.function, ctx.autocast = function, _autocast_of(values)
        ctx.others = [None if isinstance(value, Tensor) else value for value in inputs]
        ctx.tensors = [place for place, value in enumerate(inputs) if isinstance(value, Tensor)]
        ctx.save_for_backward(*(inputs[place] for place in ctx.tensors))
        return function(*inputs)  # inside forward there is no graph, so nothing else is kept

    @staticmethod
    def backward(ctx: FunctionCtx, slope: Tensor) -> tuple[Any, ...]:
        inputs = list(ctx.others)
        for place, saved in zip(ctx.tensors, ctx.saved_tensors, strict=True):
            # Cut off the graph that made it, which has its own backward pass.
            inputs[place] = saved.detach().requires_grad_(saved.requires_grad)
        with torch.enable_grad(), torch.autocast(**ctx.autocast):
            output = ctx.function(*inputs)
        values, flags = [*inputs, *ctx.weights], ctx.needs_input_grad[2:]
        wanted = [value for value, flag in zip(values, flags, strict=True) if flag]
        gradients = iter(torch.autograd.grad(output, wanted, slope, allow_unused=True))
        return None, None, *(next(gradients) if flag else None for flag in flags)


def checkpoint_activations(model: Stack) -> None:
    """Make every block of a model compute its inside twice, in training.

    The names of the weights stay as they are; without gradients the blocks work as before.

    Args:
        model: what is trained, changed in place.

    Raises:
        ValueError: the model has checkpoints already.
    """
    for block in model.blocks:
        if "forward" in vars(block):
            raise ValueError("model: expected one without checkpoints, got one that has them.")
        block.forward = partial(_forward, block, block.forward)


def _forward(block: nn.Module, forward: Callable[..., Tensor], *inputs: Any) -> Tensor:
    weights = tuple(weight for weight in block.parameters() if weight.requires_grad)
    return recompute(forward, *inputs, weights=weights)


def _autocast_of(values: tuple[Any, ...]) -> dict[str, Any]:
    """The autocast that is in force, to be in force again."""
    device = next(v.device.type for v in values if isinstance(v, Tensor))
    return {
        "device_type": device,
        "dtype": torch.get_autocast_dtype(device),
        "enabled": torch.is_autocast_enabled(device),
    }


class SavedMemory:
    """The bytes that a forward pass keeps for the backward pass."""

    def __init__(self) -> None:
        self.sizes: dict[int, int] = {}

    @property
    def n_bytes(self) -> int:
        """Bytes of all storages that were kept, each counted once."""
        return sum(self.sizes.values())


@contextmanager
def saved_memory(*but: Tensor) -> Iterator[SavedMemory]:
    """Count what the computations within it save for their backward pass.

    Args:
        but: tensors that are there anyway, such as the weights: they do not count.

    >>> x = torch.ones(3, requires_grad=True)
    >>> with saved_memory(x) as saved:
    ...     y = x.exp()  # keeps its result: 3 numbers of 4 bytes
    >>> saved.n_bytes
    12
    """
    saved, known = SavedMemory(), {_storage(tensor) for tensor in but}
    kept = []  # a storage that is freed would give its address to another

    def pack(tensor: Tensor) -> Tensor:
        if _storage(tensor) not in known:
            kept.append(tensor)
            saved.sizes[_storage(tensor)] = tensor.untyped_storage().nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        yield saved


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
