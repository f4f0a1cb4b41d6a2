"""AdamW: steps of equal size in all directions, and weights that shrink a little every time.

The function holds the mathematics, the class keeps the moments, and ``make_optimizer`` chooses
what decays and whether PyTorch's fused kernel does the same arithmetic faster.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn


@torch.no_grad()
def adamw_step(
    weight: Tensor,
    gradient: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.95),
    eps: float = 1e-8,
    weight_decay: float = 0.1,
) -> None:
    """One step of AdamW, in place on the weight and on both moments.

    ``mean = beta1 mean + (1 - beta1) g``, ``square = beta2 square + (1 - beta2) g²``, and with
    ``m = mean / (1 - beta1^step)`` and ``s = square / (1 - beta2^step)``, which undo the zeros
    that the moments began with,
    ``weight = (1 - learning_rate * weight_decay) weight - learning_rate * m / (sqrt(s) + eps)``.

    Args:
        weight: what is learnt.
        gradient: of the loss, in the weight.
        mean: running mean of the gradient; zeros at first.
        square: running mean of its square; zeros at first.
        step: how many steps this one makes, from 1.
        learning_rate: the size of a step; about what each weight moves by.
        betas: how much of the mean, and of the square, stays.
        eps: keeps the step finite where the gradient is zero.
        weight_decay: the share of the weight that is lost, times the learning rate.

    Shapes:
        weight, gradient, mean, square: the same.

    Source:
        Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2.

    >>> weight, mean, square = torch.tensor([1.0, 1.0]), torch.zeros(2), torch.zeros(2)
    >>> gradient = torch.tensor([0.003, -500.0])  # the first step is the gradient's sign
    >>> adamw_step(weight, gradient, mean, square, 1, learning_rate=0.1, weight_decay=0.5)
    >>> weight.round(decimals=4).tolist()  # 1 * (1 - 0.05) - 0.1 and + 0.1
    [0.8500000238418579, 1.0499999523162842]
    """
    beta1, beta2 = betas
    mean.lerp_(gradient, 1 - beta1)
    square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    corrected = (square.sqrt() / (1 - beta2**step) ** 0.5).add_(eps)
    weight.mul_(1 - learning_rate * weight_decay)
    weight.addcdiv_(mean, corrected, value=-learning_rate / (1 - beta1**step))


class AdamW(torch.optim.Optimizer):
    """``adamw_step`` for all weights of a model, with the moments of each."""

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
        weight_decay: float = 0.1,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Move every weight that has a gradient; ``closure`` computes the loss again, if given."""
        with torch.enable_grad():
            loss = None if closure is None else closure()
        for group in self.param_groups:
            rest = group["lr"], group["betas"], group["eps"], group["weight_decay"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state |= {"mean": torch.zeros_like(weight), "square": torch.zeros_like(weight)}
                state["step"] = state.get("step", 0) + 1
                adamw_step(
                    weight, weight.grad, state["mean"], state["square"], state["step"], *rest
                )
        return loss


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """The weights in two groups: matrices, which decay, and the rest, which do not.

    Decay keeps matrices small, whose scale the next norm takes out. Norms and biases (one axis)
    have no such norm behind them, and an embedding's row would decay in every step in which its
    token does not come. Frozen weights are in neither group.

    >>> model = nn.ModuleList([nn.Embedding(5, 2), nn.Linear(2, 3), nn.LayerNorm(3)])
    >>> decaying, rest = parameter_groups(model, 0.1)
    >>> [tuple(weight.shape) for weight in decaying["params"]], len(rest["params"])
    ([(3, 2)], 4)
    """
    embeddings = {
        id(weight)
        for module in model.modules()
        if isinstance(module, nn.Embedding)
        for weight in module.parameters()
    }
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    decays = [weight.dim() >= 2 and id(weight) not in embeddings for weight in weights]
    groups = [
        {"params": [w for w, d in zip(weights, decays, strict=True) if d == decaying],
         "weight_decay": weight_decay if decaying else 0.0}
        for decaying in (True, False)
    ]  # fmt: skip
    return [group for group in groups if group["params"]]


def make_optimizer(
    model: nn.Module,
    learning_rate: float,
    *,
    weight_decay: float = 0.1,
    betas: tuple[float, float] = (0.9, 0.95),
    eps: float = 1e-8,
    fused: bool = True,
) -> torch.optim.Optimizer:
    """AdamW for a model, without decay for norms, biases and embeddings.

    Args:
        model: what is trained.
        learning_rate: the size of a step.
        weight_decay: of the matrices.
        betas: how much of the mean, and of the square, stays.
        eps: keeps the step finite where the gradient is zero.
        fused: whether PyTorch's kernel computes it, or the course's function.

    Raises:
        ValueError: nothing in the model can be trained.

    >>> type(make_optimizer(nn.Linear(2, 3), 1e-3, fused=False)).__module__
    'llm_course.training.optimizer'
    """
    groups = parameter_groups(model, weight_decay)
    if not groups:
        raise ValueError("model: expected a weight to train, got none. Fix: unfreeze some.")
    if fused:
        return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, eps=eps, fused=True)
    return AdamW(groups, lr=learning_rate, betas=betas, eps=eps)
