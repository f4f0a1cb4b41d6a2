"""The feed-forward layer, which treats every position alone, and its activations."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from llm_course.model.config import FeedForwardKind


def gelu(x: Tensor) -> Tensor:
    """The Gaussian error linear unit: ``x * P(N(0, 1) <= x) = x/2 * (1 + erf(x / sqrt(2)))``.

    Shapes:
        x any; returns the same.

    Source:
        Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2.

    >>> [round(value, 4) for value in gelu(torch.tensor([-1.0, 0.0, 1.0])).tolist()]
    [-0.1587, 0.0, 0.8413]
    """
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


def gelu_tanh(x: Tensor) -> Tensor:
    """GPT-2's approximation: ``x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x³)))``.

    Shapes:
        x any; returns the same.

    Source:
        Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2.

    >>> [round(value, 4) for value in gelu_tanh(torch.tensor([-1.0, 0.0, 1.0])).tolist()]
    [-0.1588, 0.0, 0.8412]
    """
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    """The gated unit of Llama: ``swish(gate) * up`` with ``swish(x) = x * sigmoid(x)``.

    Shapes:
        gate, up any, the same; returns the same.

    Source:
        Shazeer 2020, arXiv:2002.05202, eq. 6.

    >>> swiglu(torch.tensor([0.0, 20.0]), torch.tensor([3.0, 0.5])).tolist()
    [0.0, 10.0]
    """
    return gate * torch.sigmoid(gate) * up


ACTIVATIONS: dict[str, Callable[..., Tensor]] = {
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "swiglu": swiglu,
}
"""The function for each value of ``DecoderConfig.feed_forward``."""

GATED = frozenset({"swiglu"})
"""The kinds whose activation takes two projections of the input, a gate and a value."""


class FeedForward(nn.Module):
    """``down(activation(up(x)))``, or ``down(swiglu(gate(x), up(x)))`` for a gated kind.

    Shapes:
        x ``b t d_model``; returns ``b t d_model``.
    """

    def __init__(self, d_model: int, d_ff: int, kind: FeedForwardKind, bias: bool = False) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[kind]
        self.gate = nn.Linear(d_model, d_ff, bias=bias) if kind in GATED else None
        self.up = nn.Linear(d_model, d_ff, bias=bias)
        self.down = nn.Linear(d_ff, d_model, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: x ``b t d_model``; returns ``b t d_model``."""
        if self.gate is None:
            return self.down(self.activation(self.up(x)))
        return self.down(self.activation(self.gate(x), self.up(x)))
