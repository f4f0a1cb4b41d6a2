"""Gradient accumulation: the gradient of a large batch, computed in parts that fit into memory."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from llm_course.training.targets import IGNORE

Batch = tuple[Tensor, Tensor]
"""Tokens and their targets, ``b t`` each."""

Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""The mean loss over the targets that are not ``IGNORE``, as ``loss(model, tokens, targets)``."""


def count_targets(targets: Tensor) -> int:
    """How many targets count.

    >>> count_targets(torch.tensor([[3, IGNORE, 1]]))
    2
    """
    return int((targets != IGNORE).sum())


def accumulate_gradient(
    model: nn.Module,
    batch: Batch,
    loss: Loss,
    n_parts: int = 1,
    *,
    n_targets: int | None = None,
    factor: float = 1.0,
    before_part: Callable[[bool], None] | None = None,
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
        n_targets: the targets of the whole batch, if this is a part of it that one of several
            processes holds; the loss that is returned is then its part of the sum.
        factor: what the gradient is multiplied by, but not the loss that is returned.
        before_part: told before each part whether it is the last. With it a part without targets
            is computed as well, since other processes wait for its gradient of zero.

    Shapes:
        tokens, targets ``b t``.

    Raises:
        ValueError: no target counts.
    """
    tokens, targets = batch
    n_targets = count_targets(targets) if n_targets is None else n_targets
    if n_targets == 0:
        raise ValueError(
            f"targets: expected one that counts, got only {IGNORE} in shape {tuple(targets.shape)}."
        )
    device, total = next(model.parameters()).device, torch.zeros(())
    parts = list(zip(tokens.chunk(n_parts), targets.chunk(n_parts), strict=True))
    for number, part in enumerate(parts, start=1):
        if before_part is not None:
            before_part(number == len(parts))
        share = count_targets(part[1]) / n_targets
        if share > 0 or before_part is not None:
            part_loss = loss(model, *(tensor.to(device) for tensor in part)) * share
            (part_loss * factor).backward()
            total = total.to(part_loss) + part_loss.detach()
    return total.item(), n_targets
