"""Cross-entropy of a linear layer without ever holding all the logits.

A model with 50,000 token ids makes 50,000 logits for every position, more numbers than all its
other activations together. ``linear_cross_entropy`` makes them for a few positions at a time,
takes what it needs, and forgets them.
"""

from functools import cache

import torch
from einops import rearrange
from torch import Tensor
from torch.autograd.function import FunctionCtx

from llm_course.derivatives import first_derivative_only
from llm_course.shapes import check_shape
from llm_course.training.targets import IGNORE, check_rows, counted_targets


def linear_cross_entropy(
    x: Tensor,
    weight: Tensor,
    targets: Tensor,
    ignore_index: int = IGNORE,
    chunk_size: int = 256,
    z_weight: float = 0.0,
) -> Tensor:
    """``cross_entropy(x @ weightᵀ, targets)``, with the logits of ``chunk_size`` rows at a time.

    The gradients are computed at once, chunk by chunk, while the logits are there:
    ``dlogits = (softmax(logits) * (1 + 2 z_weight log Z) - onehot(target)) / n``,
    ``dx = dlogits weight`` and ``dweight = dlogitsᵀ x``. Memory is that of one chunk of
    logits and one gradient of the weight, not of all logits twice. There is no gradient of the
    gradient.

    Args:
        x: the residual stream after the final norm.
        weight: the output matrix, as ``nn.Linear`` keeps it.
        targets: ids of what came.
        ignore_index: the target of positions that do not count.
        chunk_size: rows at a time; it changes memory and speed, not the result.
        z_weight: of the z-loss, ``z_weight * (log Z)²`` with ``Z = sum exp(logits)``; 0 leaves it
            out.

    Shapes:
        x ``... d``; weight ``v d``; targets ``...``; returns a scalar, fp32 at least.

    Raises:
        ShapeError: the sizes do not fit.
        TypeError: the targets are not integers.
        ValueError: a target is out of range, or the chunk size is not positive.

    Source:
        Hsu et al. 2024, arXiv:2410.10989 (FusedLinearCrossEntropy); the z-loss: Chowdhery et al.
        2022, arXiv:2204.02311, section 5.

    >>> x, weight = torch.ones(2, 1), torch.tensor([[1.0], [3.0]]).log()
    >>> round(linear_cross_entropy(x, weight, torch.tensor([0, 0]), chunk_size=1).item(), 4)
    1.3863
    """
    x, targets = check_rows(x, "x", targets)
    check_shape(weight, "v d", "weight", d=x.shape[1])
    if chunk_size < 1:
        raise ValueError(f"chunk_size: expected at least 1, got {chunk_size}.")
    targets, counts = counted_targets(targets, weight.shape[0], ignore_index)
    graph = torch.is_grad_enabled()
    needed = graph and x.requires_grad, graph and weight.requires_grad
    return _LinearCrossEntropy.apply(x, weight, targets, counts, chunk_size, z_weight, needed)


class _LinearCrossEntropy(torch.autograd.Function):
    """The loss with its gradients, which wait for the backward pass."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        x: Tensor,
        weight: Tensor,
        targets: Tensor,
        counts: Tensor,
        chunk_size: int,
        z_weight: float,
        needed: tuple[bool, bool],
    ) -> Tensor:
        device = x.device.type
        dtype = _product_dtype(x)
        matrix = weight.to(dtype)
        wide = torch.promote_types(dtype, torch.float32)
        grad_x = torch.empty_like(x) if needed[0] else None
        # A sum over all rows: narrow numbers would lose its last terms, or overflow.
        grad_weight = weight.new_zeros(weight.shape, dtype=wide) if needed[1] else None
        counts = counts.to(wide)
        total, n = counts.new_zeros(()), counts.sum().clamp(min=1)
        with torch.autocast(device, enabled=False):
            for start in range(0, len(x), chunk_size):
                rows = slice(start, start + chunk_size)
                part, counted = x[rows].to(dtype), counts[rows]
                surprise, slope = _chunk((part @ matrix.T).to(wide), targets[rows], z_weight)
                total += surprise @ counted
                slope = slope.to(dtype)
                # Rows that do not count are taken out here, where a row has d numbers and not v.
                counted = rearrange(counted.to(dtype), "n -> n 1")
                if grad_x is not None:
                    grad_x[rows] = (slope @ matrix) * counted
                if grad_weight is not None:
                    _add_product(grad_weight, slope.T, part * counted)
        ctx.save_for_backward(grad_x, grad_weight, n)
        ctx.weight_dtype = weight.dtype
        return total / n

    @staticmethod
    @first_derivative_only
    def backward(ctx: FunctionCtx, slope: Tensor) -> tuple[Tensor | None, ...]:
        grad_x, grad_weight, n = ctx.saved_tensors
        # The 1/n comes here, together with the scale of a loss in fp16: alone it would underflow.
        factor = slope / n
        grad_x = None if grad_x is None else grad_x * factor.to(grad_x.dtype)
        grad_weight = None if grad_weight is None else (grad_weight * factor).to(ctx.weight_dtype)
        return grad_x, grad_weight, None, None, None, None, None


def _chunk(logits: Tensor, targets: Tensor, z_weight: float) -> tuple[Tensor, Tensor]:
    """The surprise of a few rows, and its slope in the logits.

    One exponential for each logit: with ``p = softmax(logits)`` the normaliser is
    ``log sum exp(logits) = max(logits) - log max(p)``, and ``max(p)`` is never near zero.

    Shapes:
        logits ``n v``; targets ``n``; returns ``n`` and ``n v``.
    """
    index = rearrange(targets, "n -> n 1")
    p = logits.softmax(dim=-1)
    normaliser = logits.amax(dim=-1) - p.amax(dim=-1).log()
    surprise = normaliser - logits.gather(1, index).squeeze(1)
    if z_weight:
        surprise = surprise + z_weight * normaliser.square()
        p *= rearrange(1 + 2 * z_weight * normaliser, "n -> n 1")  # d(log Z)²/dlogits = 2 log Z p
    p.scatter_add_(1, index, p.new_full((), -1.0).expand(index.shape))  # p - onehot(target)
    return surprise, p


def _product_dtype(x: Tensor) -> torch.dtype:
    """What is multiplied: autocast's dtype, or that of ``x``; fp32 where bf16 is only emulated.

    A CPU without instructions for bf16 takes 5 to 70 times the time of fp32 for a product.
    """
    device = x.device.type
    narrow = torch.is_autocast_enabled(device)
    dtype = torch.get_autocast_dtype(device) if narrow else x.dtype
    return torch.float32 if dtype == torch.bfloat16 and x.is_cpu and _emulates_bf16() else dtype


@cache
def _emulates_bf16() -> bool:
    """Whether PyTorch's matrix products on this CPU have no kernel for bf16."""
    native = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return not native


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """``total += left @ right``, without a product in between where the dtypes allow."""
    if total.dtype == left.dtype:
        total.addmm_(left, right)
    else:
        total += left @ right
