"""The feed-forward layer, which treats every position alone, and its activations."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_course.model.config import FeedForwardKind
from llm_course.shapes import check_shape


def relu(x: Tensor) -> Tensor:
    """The rectifier of the first Transformer: ``max(x, 0)``.

    Shapes:
        x any; returns the same.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, eq. 2.

    >>> relu(torch.tensor([-2.0, 0.0, 3.0])).tolist()
    [0.0, 0.0, 3.0]
    """
    return x.clamp(min=0)


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


def swish(x: Tensor) -> Tensor:
    """The self-gated unit, also named SiLU: ``x * sigmoid(x)``.

    Shapes:
        x any; returns the same.

    Source:
        Ramachandran et al. 2017, arXiv:1710.05941, section 3 (with beta = 1).

    >>> [round(value, 4) for value in swish(torch.tensor([-1.0, 0.0, 1.0])).tolist()]
    [-0.2689, 0.0, 0.7311]
    """
    return F.silu(x)  # x * sigmoid(x), in one pass over the memory


def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    """The gated unit of Llama and PaLM: ``swish(gate) * up``, element by element.

    Shapes:
        gate, up any, the same; returns the same.

    Source:
        Shazeer 2020, arXiv:2002.05202, eq. 6.

    >>> swiglu(torch.tensor([0.0, 20.0]), torch.tensor([3.0, 0.5])).tolist()
    [0.0, 10.0]
    """
    return swish(gate) * up


def geglu(gate: Tensor, up: Tensor) -> Tensor:
    """The gated unit with the exact GELU: ``gelu(gate) * up``, element by element.

    Shapes:
        gate, up any, the same; returns the same.

    Source:
        Shazeer 2020, arXiv:2002.05202, eq. 6.

    >>> geglu(torch.tensor([0.0, 20.0]), torch.tensor([3.0, 0.5])).tolist()
    [0.0, 10.0]
    """
    return gelu(gate) * up


def geglu_tanh(gate: Tensor, up: Tensor) -> Tensor:
    """The gated unit of T5 1.1 as it was trained: ``gelu_tanh(gate) * up``.

    Shapes:
        gate, up any, the same; returns the same.

    Source:
        Shazeer 2020, arXiv:2002.05202, eq. 6, with the approximation of the GELU.

    >>> geglu_tanh(torch.tensor([0.0, 20.0]), torch.tensor([3.0, 0.5])).tolist()
    [0.0, 10.0]
    """
    return gelu_tanh(gate) * up


ACTIVATIONS: dict[str, Callable[..., Tensor]] = {
    "relu": relu,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "swish": swish,
    "swiglu": swiglu,
    "geglu": geglu,
    "geglu_tanh": geglu_tanh,
}
"""The function for each value of ``DecoderConfig.feed_forward``."""

GATED = frozenset({"swiglu", "geglu", "geglu_tanh"})
"""The kinds whose activation takes two projections of the input, a gate and a value."""


def feed_forward(x: Tensor, w_1: Tensor, b_1: Tensor, w_2: Tensor, b_2: Tensor) -> Tensor:
    """The feed-forward layer of the first Transformer: ``max(0, x W_1 + b_1) W_2 + b_2``.

    The matrices multiply from the right; PyTorch's ``nn.Linear`` keeps the transpose.

    Shapes:
        x ``... d``; w_1 ``d f``; b_1 ``f``; w_2 ``f d``; b_2 ``d``; returns ``... d``.

    Raises:
        ShapeError: the sizes do not fit.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, eq. 2.

    >>> w_1, w_2 = torch.tensor([[1.0, -1.0]]), torch.tensor([[10.0], [100.0]])
    >>> x = torch.tensor([[2.0], [-3.0]])  # 10 * 2 + 1, and 100 * 3 + 1
    >>> feed_forward(x, w_1, torch.zeros(2), w_2, torch.ones(1)).flatten().tolist()
    [21.0, 301.0]
    """
    sizes = check_shape(w_1, "d f", "w_1", d=x.shape[-1])
    check_shape(w_2, "f d", "w_2", **sizes)
    check_shape(b_1, "f", "b_1", f=sizes["f"])
    check_shape(b_2, "d", "b_2", d=sizes["d"])
    return relu(x @ w_1 + b_1) @ w_2 + b_2


class FeedForward(nn.Module):
    """``down(activation(up(x)))``, or ``down(activation(gate(x), up(x)))`` for a gated kind.

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
