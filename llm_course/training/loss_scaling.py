"""Loss scaling: small gradients lifted over the smallest number of fp16, and put back after.

A gradient below 6e-8 is zero in fp16, and many are. The loss is multiplied by a large scale, with
it every gradient, and the gradients are divided by it in fp32 before they are used. The scale is
found on the way: it is halved when a gradient overflows, and that step left out, and doubled after
many steps in which none did.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ScaleState:
    """Where a dynamic scale stands.

    Args:
        scale: what the loss is multiplied by.
        good_steps: steps without overflow since the scale changed.
    """

    scale: float = 2.0**16
    good_steps: int = 0


def update_scale(
    state: ScaleState,
    finite: bool,
    growth_factor: float = 2.0,
    backoff_factor: float = 0.5,
    growth_interval: int = 2000,
) -> ScaleState:
    """The scale after a step.

    If a gradient overflowed, ``scale * backoff_factor``, and the count of good steps starts anew;
    after ``growth_interval`` good steps in a row, ``scale * growth_factor``, unless that is
    infinite in fp32.

    Args:
        state: before the step.
        finite: whether all gradients were.
        growth_factor: more than 1.
        backoff_factor: between 0 and 1.
        growth_interval: good steps after which the scale grows.

    Source:
        Micikevicius et al. 2018, arXiv:1710.03740, section 3.2.

    >>> update_scale(ScaleState(8.0, good_steps=5), finite=False)
    ScaleState(scale=4.0, good_steps=0)
    >>> update_scale(ScaleState(8.0, good_steps=5), finite=True, growth_interval=6)
    ScaleState(scale=16.0, good_steps=0)
    """
    if not finite:
        return ScaleState(state.scale * backoff_factor, 0)
    if state.good_steps + 1 < growth_interval:
        return ScaleState(state.scale, state.good_steps + 1)
    grown = state.scale * growth_factor
    return ScaleState(grown if grown <= torch.finfo(torch.float32).max else state.scale, 0)


@torch.no_grad()
def unscale(gradients: Iterable[Tensor], scale: float) -> bool:
    """Divide gradients by the scale, in place; whether all of them are finite.

    The scale is a power of two as a rule, so that the division loses nothing.
    """
    gradients = list(gradients)
    for gradient in gradients:
        gradient.mul_(1 / scale)
    return all(bool(gradient.isfinite().all()) for gradient in gradients)


class LossScaler:
    """A dynamic scale that remembers its state: ``update_scale`` after every step.

    Args:
        initial_scale: to begin with.
        growth_factor: by which it grows.
        backoff_factor: by which it shrinks.
        growth_interval: good steps after which it grows.

    Raises:
        ValueError: a number is out of range.

    >>> scaler = LossScaler(initial_scale=4.0)
    >>> weight = torch.tensor([1.0], requires_grad=True)
    >>> scaler.scale_loss((3.0 * weight).sum()).backward()
    >>> weight.grad.item(), scaler.unscale([weight]), weight.grad.item()
    (12.0, True, 3.0)
    """

    def __init__(
        self,
        initial_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
    ) -> None:
        ranges = {
            "initial_scale": (initial_scale, 0 < initial_scale < math.inf, "a positive number"),
            "growth_factor": (growth_factor, growth_factor > 1, "more than 1"),
            "backoff_factor": (backoff_factor, 0 < backoff_factor < 1, "between 0 and 1"),
            "growth_interval": (growth_interval, growth_interval >= 1, "at least 1"),
        }
        for name, (number, fits, expected) in ranges.items():
            if not fits:
                raise ValueError(f"{name}: expected {expected}, got {number}.")
        self.state = ScaleState(float(initial_scale))
        self.growth_factor, self.backoff_factor = growth_factor, backoff_factor
        self.growth_interval = growth_interval

    @property
    def scale(self) -> float:
        """What the loss is multiplied by."""
        return self.state.scale

    def scale_loss(self, loss: Tensor) -> Tensor:
        """The loss, multiplied."""
        return loss * self.scale

    def unscale(self, weights: Iterable[Tensor]) -> bool:
        """Divide the gradients of weights by the scale; whether all of them are finite."""
        return unscale((w.grad for w in weights if w.grad is not None), self.scale)

    def update(self, finite: bool) -> None:
        """Move the scale after a step."""
        factors = self.growth_factor, self.backoff_factor, self.growth_interval
        self.state = update_scale(self.state, finite, *factors)

    def state_dict(self) -> dict[str, float]:
        """What a checkpoint keeps."""
        return asdict(self.state)

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on from what a checkpoint kept."""
        self.state = ScaleState(float(state["scale"]), int(state["good_steps"]))
