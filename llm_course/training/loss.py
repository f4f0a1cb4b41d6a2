"""Cross-entropy of the next token, plainly and without ever holding all the logits.

A model with 50,000 token ids makes 50,000 logits for every position, more numbers than all its
other activations together. ``linear_cross_entropy`` makes them for a few positions at a time,
takes what it needs, and forgets them. Leaves out label smoothing and weights of classes.
"""

from functools import cache

import torch
from einops import rearrange
from torch import Tensor
from torch.autograd.function import FunctionCtx

from llm_course.derivatives import first_derivative_only
from llm_course.model.decoder import Decoder
from llm_course.shapes import ShapeError, check_shape

IGNORE = -100
"""The target of a position that is not to be learnt: padding, or the text of a prompt."""


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = IGNORE) -> Tensor:
    """The mean surprise at the targets: ``-log softmax(logits)[target]``, in nats.

    The mean is over the targets that count. If none does the loss is 0, where PyTorch's is NaN.

    Args:
        logits: unnormalised log-probabilities.
        targets: ids of what came.
        ignore_index: the target of positions that do not count.

    Shapes:
        logits ``... v``; targets ``...``; returns a scalar, fp32 at least.

    Raises:
        ShapeError: there are not as many targets as rows of logits.
        TypeError: the targets are not integers.
        ValueError: a target is out of range.

    Source:
        Bengio et al. 2003, *A Neural Probabilistic Language Model*, section 2 (the L of training).

    >>> logits = torch.tensor([[1.0, 3.0], [1.0, 1.0]]).log()  # probabilities 1/4 and 3/4
    >>> round(cross_entropy(logits, torch.tensor([0, IGNORE])).item(), 4)  # log 4
    1.3863
    """
    logits, targets = _check(logits, "logits", targets)
    targets, counts = _counted(targets, logits.shape[1], ignore_index)
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    surprise = wide.logsumexp(dim=-1) - wide.gather(1, rearrange(targets, "n -> n 1")).squeeze(1)
    return surprise.where(counts, 0.0).sum() / counts.sum().clamp(min=1)


def linear_cross_entropy(
    x: Tensor,
    weight: Tensor,
    targets: Tensor,
    ignore_index: int = IGNORE,
    chunk_size: int = 256,
) -> Tensor:
    """``cross_entropy(x @ weightᵀ, targets)``, with the logits of ``chunk_size`` rows at a time.

    The gradients are computed at once, chunk by chunk, while the logits are there:
    ``dlogits = (softmax(logits) - onehot(target)) / n``, ``dx = dlogits weight`` and
    ``dweight = dlogitsᵀ x``. Memory is that of one chunk of logits and one gradient of the
    weight, not of all logits twice. There is no gradient of the gradient.

    Args:
        x: the residual stream after the final norm.
        weight: the output matrix, as ``nn.Linear`` keeps it.
        targets: ids of what came.
        ignore_index: the target of positions that do not count.
        chunk_size: rows at a time; it changes memory and speed, not the result.

    Shapes:
        x ``... d``; weight ``v d``; targets ``...``; returns a scalar, fp32 at least.

    Raises:
        ShapeError: the sizes do not fit.
        TypeError: the targets are not integers.
        ValueError: a target is out of range, or the chunk size is not positive.

    Source:
        Hsu et al. 2024, arXiv:2410.10989 (FusedLinearCrossEntropy).

    >>> x, weight = torch.ones(2, 1), torch.tensor([[1.0], [3.0]]).log()
    >>> round(linear_cross_entropy(x, weight, torch.tensor([0, 0]), chunk_size=1).item(), 4)
    1.3863
    """
    x, targets = _check(x, "x", targets)
    check_shape(weight, "v d", "weight", d=x.shape[1])
    if chunk_size < 1:
        raise ValueError(f"chunk_size: expected at least 1, got {chunk_size}.")
    targets, counts = _counted(targets, weight.shape[0], ignore_index)
    graph = torch.is_grad_enabled()
    needed = graph and x.requires_grad, graph and weight.requires_grad
    return _LinearCrossEntropy.apply(x, weight, targets, counts, chunk_size, needed)


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
                surprise, slope = _chunk((part @ matrix.T).to(wide), targets[rows])
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
        return grad_x, grad_weight, None, None, None, None


def _chunk(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
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


def _check(rows: Tensor, name: str, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Rows ``n d`` and targets ``n``, once they are known to fit."""
    if targets.dtype not in (torch.int64, torch.int32):
        raise TypeError(f"targets: expected int64 or int32 ids, got {targets.dtype}.")
    if rows.dim() < 1 or rows.shape[:-1] != targets.shape:
        raise ShapeError(
            f"targets: expected one for each row of {name} {tuple(rows.shape)}, got shape "
            f"{tuple(targets.shape)}."
        )
    return rearrange(rows, "... d -> (...) d"), rearrange(targets, "... -> (...)").long()


def _counted(targets: Tensor, vocab_size: int, ignore_index: int) -> tuple[Tensor, Tensor]:
    """Which targets count; and the targets, with 0 for those that do not."""
    counts = targets != ignore_index
    targets = targets.where(counts, 0)
    # On other devices the lookup itself refuses; asking first would make the CPU wait.
    if targets.is_cpu and targets.numel():
        low, high = int(targets.min()), int(targets.max())
        if low < 0 or high >= vocab_size:
            raise ValueError(
                f"targets: expected 0 to vocab_size - 1 = {vocab_size - 1} or "
                f"ignore_index={ignore_index}, got {low} to {high}."
            )
    return targets, counts


def shift(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Cut sequences into what is read and what is to be foretold: the same, one token later.

    Shapes:
        tokens ``b t``; returns inputs and targets, ``b t-1`` each.

    >>> inputs, targets = shift(torch.tensor([[5, 6, 7]]))
    >>> inputs.tolist(), targets.tolist()
    ([[5, 6]], [[6, 7]])
    """
    check_shape(tokens, "b t", "tokens")
    return tokens[:, :-1], tokens[:, 1:]


def next_token_loss(
    model: Decoder, tokens: Tensor, targets: Tensor, chunk_size: int = 256
) -> Tensor:
    """The mean surprise of a decoder at the targets, in nats a token, without all its logits.

    Args:
        model: the decoder.
        tokens: what it reads.
        targets: what follows each token (``shift``); ``IGNORE`` where that does not count.
        chunk_size: positions whose logits are held at a time.

    Shapes:
        tokens, targets ``b t``; returns a scalar.
    """
    features = model.features(tokens)
    return linear_cross_entropy(features, model.output_weight, targets, chunk_size=chunk_size)
