"""FlashAttention as Triton kernels for CUDA: what ``flash_attention`` computes, in fast memory.

``flash_attention`` is the algorithm to be read; its tiles still travel through the GPU's main
memory between two operations. Here one program holds its tile from the first product to the last.
The kernels stand in ``flash_triton_forward`` and ``flash_triton_backward``. With
``TRITON_INTERPRET=1`` set before Triton is imported they run, slowly, on a CPU. Leaves out dropout
and any bias of the scores.
"""

import math
from functools import cache
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from llm_course.derivatives import first_derivative_only
from llm_course.errors import CourseError
from llm_course.model.flash_attention import check_flash_inputs
from llm_course.shapes import ShapeError

D_HEADS = (16, 32, 64, 128)
"""The head sizes that the kernels are made for, because a tile's sides are powers of two."""

DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def flash_attention_triton(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    causal: bool = False,
    tile: int | None = None,
) -> Tensor:
    """``flash_attention`` by one kernel forward and two backward.

    Products are summed in fp32, and fp32 inputs are multiplied as such (``input_precision="ieee"``,
    not TF32). There is no gradient of the gradient.

    Args:
        query: one vector for each position that asks.
        key: one vector for each position that may answer.
        value: what each of them answers.
        mask: bool, True = may attend. Give padding as ``b 1 1 k``: a full ``q k`` mask takes the
            memory that the tiles save.
        causal: also hide every key that comes after its query; tiles of hidden keys are skipped.
        tile: positions of queries, and of keys, in a tile; chosen for the GPU if not given.

    Shapes:
        query ``b h q d``; key, value ``b g k d`` where ``g`` divides ``h``; mask broadcasts to
        ``b h q k``; returns ``b h q d``.

    Raises:
        CourseError: Triton is not installed.
        ShapeError: the sizes do not fit, or ``d`` is not one of ``D_HEADS``.
        TypeError: the mask is not bool, or the numbers are none of ``DTYPES``, or differ.
        ValueError: the tensors are not on a CUDA device and nothing interprets the kernels, or the
            tile is not a power of two from 16.

    Source:
        Dao 2023, arXiv:2307.08691, algorithms 1 and 2.
    """
    check_flash_inputs(query, key, value, mask, causal)
    _check_device(query)
    _check(query, key, value, tile)
    if mask is None:
        visible = None
    else:  # a stride of 0 where it is broadcast: nothing is copied
        visible = mask.expand(*query.shape[:3], key.shape[2])
    return _Flash.apply(query, key, value, visible, causal, tile)


class _Flash(torch.autograd.Function):
    """The two passes; what is kept between them grows with the sequence only."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        causal: bool,
        tile: int | None,
    ) -> Tensor:
        query, key, value = query.contiguous(), key.contiguous(), value.contiguous()
        output = torch.empty_like(query)
        normaliser = query.new_empty(query.shape[:3], dtype=torch.float32)
        launch = _Launch(query, key, mask, causal)
        launch(
            kernels().forward, "queries", _tiles("forward", query, tile),
            query, key, value, launch.visible, output, normaliser, launch.scale,
        )  # fmt: skip
        ctx.save_for_backward(query, key, value, mask, output, normaliser)
        ctx.causal, ctx.tile = causal, tile
        return output

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mask, output, normaliser = ctx.saved_tensors
        slope, through = slope.contiguous(), torch.empty_like(normaliser)
        d_query, d_key, d_value = (torch.empty_like(x) for x in (query, key, value))
        launch = _Launch(query, key, mask, ctx.causal)
        factor = 1 / math.sqrt(query.shape[-1])
        launch(
            kernels().backward_query, "queries", _tiles("backward_query", query, ctx.tile),
            query, key, value, launch.visible, output, normaliser, slope, through, d_query,
            launch.scale, factor,
        )  # fmt: skip
        launch(  # after it, because it reads ``through``
            kernels().backward_key, "keys", _tiles("backward_key", query, ctx.tile),
            query, key, value, launch.visible, normaliser, slope, through, d_key, d_value,
            launch.scale, factor,
        )  # fmt: skip
        return d_query, d_key, d_value, None, None, None


class _Launch:
    """Starts kernels for one problem: the sizes and the mask's strides are the same for all."""

    def __init__(self, query: Tensor, key: Tensor, mask: Tensor | None, causal: bool) -> None:
        self.batch, self.heads, self.queries, self.d = query.shape
        self.groups, self.keys = key.shape[1:3]
        self.scale = math.log2(math.e) / math.sqrt(self.d)  # exp(x) = exp2(x log2(e))
        self.masked, self.causal, self.device = mask is not None, causal, query.device
        self.visible = query if mask is None else mask  # never read without a mask
        self.strides = (0, 0, 0, 0) if mask is None else mask.stride()

    def __call__(self, kernel: Any, of: str, tiles: dict[str, int], *tensors: Any) -> None:
        """One program for each tile ``of`` queries of every head, or of keys of every group."""
        length, size, copies = {
            "queries": (self.queries, tiles["ROWS"], self.heads),
            "keys": (self.keys, tiles["COLUMNS"], self.groups),
        }[of]
        grid = -(-length // size), self.batch * copies
        if 0 in grid:  # nothing to write
            return
        shared = self.heads // self.groups
        with torch.cuda.device_of(tensors[0]):
            kernel[grid](
                *tensors, self.queries, self.keys, self.heads, shared, *self.strides,
                D=self.d, CAUSAL=self.causal, MASKED=self.masked, PRECISION="ieee", **tiles,
            )  # fmt: skip


def _tiles(kernel: str, query: Tensor, tile: int | None) -> dict[str, int]:
    """Rows and columns of a tile, the warps that share it, and how many loads run ahead.

    What bounds them is registers (255 a thread, then they spill) and shared memory (99 KiB on a
    consumer's card): both are counted in bytes, so fp32 and long heads get smaller tiles.
    """
    if tile is not None:
        return {"ROWS": tile, "COLUMNS": tile}
    long = query.shape[-1] == 128
    if query.dtype == torch.float32:
        side = 16 if long else 32
        return {"ROWS": side, "COLUMNS": side, "num_warps": 4, "num_stages": 2}
    rows, columns, warps = {
        "forward": (128, 64, 8 if long else 4),
        "backward_query": (64 if long else 128, 64, 8 if not long else 4),
        "backward_key": (32 if long else 64, 128, 8),
    }[kernel]
    return {"ROWS": rows, "COLUMNS": columns, "num_warps": warps, "num_stages": 2}


@cache
def kernels() -> SimpleNamespace:
    """The compiled kernels, imported when the first is wanted.

    Raises:
        CourseError: Triton is not installed.
    """
    try:
        from llm_course.model import flash_triton_backward, flash_triton_forward
    except ImportError as error:
        raise CourseError(
            f"triton: expected the package, got none ({error}). "
            "Fix: on Linux, pip install -c constraints.txt -e '.[triton]'; "
            "elsewhere flash_attention computes the same."
        ) from error
    return SimpleNamespace(
        forward=flash_triton_forward.forward,
        backward_query=flash_triton_backward.backward_query,
        backward_key=flash_triton_backward.backward_key,
    )


def interpreted() -> bool:
    """Whether Triton interprets the kernels: ``TRITON_INTERPRET=1`` was set when it was imported.

    Raises:
        CourseError: Triton is not installed.
    """
    return type(kernels().forward).__name__ == "InterpretedFunction"


def _check(query: Tensor, key: Tensor, value: Tensor, tile: int | None) -> None:
    """Refuse what the kernels are not made for."""
    if query.shape[-1] not in D_HEADS:
        raise ShapeError(f"query: expected d in {D_HEADS}, got {query.shape[-1]} in shape "
                         f"{tuple(query.shape)} (b h q d). Fix: use flash_attention.")  # fmt: skip
    for name, x in (("query", query), ("key", key), ("value", value)):
        if x.dtype not in DTYPES or x.dtype != query.dtype:
            raise TypeError(
                f"{name}: expected one dtype for all, of {', '.join(map(str, DTYPES))}, "
                f"got {x.dtype}. Fix: {name}.to(torch.bfloat16)."
            )
        if x.dtype == torch.bfloat16 and not x.is_cuda:
            raise TypeError(f"{name}: expected float32 or float16 on a CPU, got bfloat16, which "
                            f"Triton's interpreter misreads. Fix: {name}.float().")  # fmt: skip
        if x.device != query.device:
            raise ValueError(f"{name}: expected the device of query, {query.device}, "
                             f"got {x.device}. Fix: {name}.to(query.device).")  # fmt: skip
    if tile is not None and (tile < 16 or tile & (tile - 1)):
        raise ValueError(f"tile: expected a power of two from 16, got {tile}.")


def _check_device(query: Tensor) -> None:
    """Refuse a CPU, unless an interpreter plays the GPU."""
    if not query.is_cuda and not interpreted():
        raise ValueError(
            f"query: expected a CUDA device, got {query.device}. Fix: query.cuda(); or set "
            "TRITON_INTERPRET=1 before Triton is imported, to interpret the kernels on a CPU; "
            "or use flash_attention."
        )
