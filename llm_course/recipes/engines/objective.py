"""A model as an engine wants it: one module whose forward pass is the whole loss.

An engine acts before and after the forward pass of the module that it wraps. The loss reads the
model's output matrix as well as its features, so it has to be computed inside.
"""

from torch import Tensor, nn

from llm_course.training.accumulation import Loss


class Objective(nn.Module):
    """``loss(model, tokens, targets)`` as a forward pass.

    Args:
        model: what has the weights.

    Shapes:
        tokens, targets ``b t``; returns a scalar.

    >>> import torch
    >>> objective = Objective(nn.Identity())
    >>> objective(lambda model, x, y: (model(x) - y).sum(), torch.tensor(5), torch.tensor(3)).item()
    2
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, loss: Loss, tokens: Tensor, targets: Tensor) -> Tensor:
        """Shapes: tokens, targets ``b t``; returns a scalar."""
        return loss(self.model, tokens, targets)


def through(loss: Loss) -> Loss:
    """A loss that is asked of a wrapped ``Objective`` and computed inside it."""

    def wrapped(objective: nn.Module, tokens: Tensor, targets: Tensor) -> Tensor:
        return objective(loss, tokens, targets)

    return wrapped
