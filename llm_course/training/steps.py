"""Whole steps of training as one function each, on plain tensors.

The chapter's exercises build these, small enough to follow by hand. The loop does the same on a
model: ``accumulation``, ``clipping``, ``loss_scaling`` and ``activation_checkpointing``.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from llm_course.shapes import ShapeError
from llm_course.training.clipping import gradient_norm, scale_gradients
from llm_course.training.loss_scaling import ScaleState, unscale, update_scale


def accumulate_and_clip(
    parts: Sequence[Sequence[Tensor]], n_targets: Sequence[int], max_norm: float
) -> tuple[list[Tensor], float]:
    """The gradient of a batch from those of its parts, shortened to a norm.

    Each part has a gradient for every weight, that of its own mean loss. The batch's is
    ``g = Σ_p (n_p / n) g_p`` with ``n = Σ_p n_p``; then ``g * min(1, max_norm / (|g| + 1e-6))``.

    Args:
        parts: for each part, a gradient for each weight.
        n_targets: how many targets of each part count.
        max_norm: the length that is allowed, of all gradients as one vector.

    Shapes:
        the gradients of one weight have one shape.

    Returns:
        a gradient for each weight, and the norm before it was clipped.

    Raises:
        ValueError: no target counts, or there is not one number for each part.

    Source:
        Pascanu et al. 2013, arXiv:1211.5063, algorithm 1 (the clipping).

    >>> parts = [[torch.tensor([8.0])], [torch.tensor([4.0])]]
    >>> gradients, norm = accumulate_and_clip(parts, [1, 3], max_norm=2.5)  # 8/4 + 3 * 4/4
    >>> gradients[0].round(decimals=4).tolist(), norm
    ([2.5], 5.0)
    """
    n = sum(n_targets)
    if n < 1:
        raise ValueError(f"n_targets: expected one that counts, got {list(n_targets)}.")
    whole = [torch.zeros_like(gradient) for gradient in parts[0]]
    for part, counted in zip(parts, n_targets, strict=True):
        for total, gradient in zip(whole, part, strict=True):
            if counted:  # the mean over no target may be NaN
                total.add_(gradient, alpha=counted / n)
    norm = gradient_norm(whole)
    scale_gradients(whole, norm, max_norm)
    return whole, norm.item()


def scaler_step(
    gradients: Sequence[Tensor], scale: float, good_steps: int, growth_interval: int = 2000
) -> tuple[list[Tensor] | None, float, int]:
    """What a dynamic loss scaler does between the backward pass and the optimizer.

    ``g / scale`` in fp32 if every number is finite; otherwise there is no step. Then
    ``update_scale``: halved after an overflow, doubled after ``growth_interval`` good steps in a
    row, and left otherwise.

    Args:
        gradients: of the scaled loss; they stay as they are.
        scale: what the loss was multiplied by.
        good_steps: steps without overflow since the scale changed.
        growth_interval: good steps after which it grows.

    Returns:
        the gradients to use, or None if the step is to be left out; the next scale; the next count.

    Source:
        Micikevicius et al. 2018, arXiv:1710.03740, section 3.2.

    >>> half = torch.tensor([6.0, 1.0]).half()
    >>> scaler_step([half], scale=8.0, good_steps=3)
    ([tensor([0.7500, 0.1250])], 8.0, 4)
    >>> scaler_step([half / 0], scale=8.0, good_steps=3)
    (None, 4.0, 0)
    """
    wide = [gradient.float().clone() for gradient in gradients]
    finite = unscale(wide, scale)
    state = update_scale(ScaleState(scale, good_steps), finite, growth_interval=growth_interval)
    return (wide if finite else None), state.scale, state.good_steps


def backward_from_checkpoints(
    kept: Sequence[Tensor], weights: Sequence[Tensor], slope: Tensor
) -> list[Tensor]:
    """The gradients of a chain ``x_{i+1} = tanh(x_i W_i)`` of which only some inputs were kept.

    ``kept`` holds the inputs of layers ``0, s, 2s, ...`` with ``s = len(weights) / len(kept)``.
    From the last segment to the first: its inside is computed again, then
    ``d_i = (1 - x_{i+1}²) * slope``, ``dW_i = x_iᵀ d_i`` and ``slope = d_i W_iᵀ``, layer by layer.

    Args:
        kept: the input of each segment.
        weights: of all layers, in order.
        slope: of the loss in the last output.

    Shapes:
        kept ``b d`` each; weights ``d d`` each; slope ``b d``.

    Returns:
        the gradient of each weight.

    Raises:
        ShapeError: the layers are not so many equal segments.

    Source:
        Chen et al. 2016, arXiv:1604.06174, section 3.

    >>> x, weights = torch.tensor([[0.0]]), [torch.tensor([[2.0]]), torch.tensor([[3.0]])]
    >>> backward_from_checkpoints([x + 1], weights, torch.ones(1, 1))[1]  # (1 - x_2²) x_1
    tensor([[0.0118]])
    """
    if not kept or len(weights) % len(kept):
        raise ShapeError(
            f"kept: expected a number that divides the {len(weights)} layers, got {len(kept)}."
        )
    size = len(weights) // len(kept)
    gradients: list[Tensor] = []
    for number in reversed(range(len(kept))):
        segment = weights[number * size : (number + 1) * size]
        inputs = [kept[number]]
        for weight in segment:
            inputs.append(torch.tanh(inputs[-1] @ weight))
        for i in reversed(range(size)):
            inner = (1 - inputs[i + 1].square()) * slope
            gradients.append(inputs[i].T @ inner)
            slope = inner @ segment[i].T
    return gradients[::-1]
