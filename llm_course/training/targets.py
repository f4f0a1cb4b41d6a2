"""Targets: what came after each token, which of them count, and whether they fit."""

import torch
from einops import rearrange
from torch import Tensor

from llm_course.shapes import ShapeError

IGNORE = -100
"""The target of a position that is not to be learnt: padding, or the text of a prompt."""


def check_rows(rows: Tensor, name: str, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Rows ``n d`` and targets ``n``, once they are known to fit."""
    if targets.dtype not in (torch.int64, torch.int32):
        raise TypeError(f"targets: expected int64 or int32 ids, got {targets.dtype}.")
    if rows.dim() < 1 or rows.shape[:-1] != targets.shape:
        raise ShapeError(
            f"targets: expected one for each row of {name} {tuple(rows.shape)}, got shape "
            f"{tuple(targets.shape)}."
        )
    return rearrange(rows, "... d -> (...) d"), rearrange(targets, "... -> (...)").long()


def counted_targets(targets: Tensor, vocab_size: int, ignore_index: int) -> tuple[Tensor, Tensor]:
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
