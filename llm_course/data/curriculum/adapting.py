"""A mixture that follows what the model has learnt: losses by domain, and multiplicative weights.

Pure functions: losses in, weights out. Who trains measures the losses and passes the weights on
to the sampler. The update is DoReMi's, which compares with a reference model; with a reference of
zeros it follows the losses themselves.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from llm_course.data.mixture.weights import check_weights
from llm_course.shapes import ShapeError


def domain_losses(losses: Tensor, domains: Tensor, n_domains: int) -> tuple[Tensor, Tensor]:
    """The mean loss of the tokens of each domain, and how many tokens that is.

    Args:
        losses: the loss of each token.
        domains: the domain of each token; a negative number does not count (padding).
        n_domains: how many domains there are.

    Shapes:
        losses, domains ``...``; returns two tensors ``n_domains``; the mean of no token is NaN.

    Raises:
        ShapeError: losses and domains differ in shape.
        ValueError: a domain is out of range.

    >>> losses, domains = torch.tensor([1.0, 3.0, 5.0, 9.0]), torch.tensor([0, 0, 1, -1])
    >>> means, counts = domain_losses(losses, domains, 2)
    >>> means.tolist(), counts.tolist()
    ([2.0, 5.0], [2, 1])
    """
    if losses.shape != domains.shape:
        raise ShapeError(
            f"domains: expected shape {tuple(losses.shape)}, got {tuple(domains.shape)}."
        )
    counted = domains >= 0
    chosen = domains[counted].long()
    if len(chosen) and int(chosen.max()) >= n_domains:
        raise ValueError(f"domains: expected 0 to {n_domains - 1}, got {int(chosen.max())}.")
    sums = torch.zeros(n_domains, dtype=torch.float64)
    sums.index_add_(0, chosen.cpu(), losses[counted].detach().double().cpu())
    counts = torch.bincount(chosen.cpu(), minlength=n_domains)
    return sums / counts, counts


def excess_loss(losses: Tensor, reference: Tensor) -> Tensor:
    """How much more a model loses than a reference, at each token and never below 0.

    ``max(l_θ(x) - l_ref(x), 0)``: noise that nobody can learn is high for both, and cancels.

    Shapes:
        losses, reference of one shape; returns the same.

    Raises:
        ShapeError: the shapes differ.

    Source:
        Xie et al. 2023, arXiv:2305.10429, Algorithm 1 (λ, clipped at zero token by token).

    >>> excess_loss(torch.tensor([3.0, 1.0]), torch.tensor([2.0, 2.0])).tolist()
    [1.0, 0.0]
    """
    if losses.shape != reference.shape:
        raise ShapeError(
            f"reference: expected shape {tuple(losses.shape)}, got {tuple(reference.shape)}."
        )
    return (losses - reference).clamp(min=0)


def update_weights(
    weights: Mapping[str, float],
    losses: Mapping[str, float],
    step_size: float = 1.0,
    smoothing: float = 1e-3,
) -> dict[str, float]:
    """One step of multiplicative weights: domains with a large (excess) loss get more.

    ``α'_i = α_i exp(η λ_i)``, then ``α = (1 - c) α' / Σ α' + c / k``. The second part, which
    gives every one of the ``k`` domains a little, keeps a weight from being lost for ever.

    Args:
        weights: the shares so far, α.
        losses: the (excess) loss of each domain, λ; one that is missing or NaN, because no token
            of it was seen, leaves the domain its share.
        step_size: η; 0 leaves the weights, up to the smoothing.
        smoothing: c, from 0 to 1.

    Raises:
        ValueError: the weights are no shares, a name is unknown, or a number is out of range.

    Source:
        Xie et al. 2023, arXiv:2305.10429, Algorithm 1 (step size 1, smoothing 1e-3).

    >>> import math
    >>> update_weights({"web": 0.5, "code": 0.5}, {"web": math.log(3), "code": 0.0}, smoothing=0)
    {'web': 0.75, 'code': 0.25}
    """
    check_weights(weights)
    unknown = sorted(set(losses) - set(weights))
    if unknown:
        raise ValueError(f"losses: expected domains of {sorted(weights)}, got {unknown}.")
    if not 0 <= step_size < float("inf") or not 0 <= smoothing <= 1:
        raise ValueError(
            f"step_size, smoothing: expected 0 or more and 0 to 1, got {step_size} and {smoothing}."
        )
    values = torch.tensor([losses.get(name, torch.nan) for name in weights], dtype=torch.float64)
    shares = torch.tensor(list(weights.values()), dtype=torch.float64)
    mixed = (1 - smoothing) * _moved(shares, step_size * values) + smoothing / len(weights)
    return dict(zip(weights, (mixed / mixed.sum()).tolist(), strict=True))


def _moved(shares: Tensor, logs: Tensor) -> Tensor:
    """``α_i exp(x_i)``, normalised among the domains whose x is known; the others keep theirs."""
    known = ~logs.isnan()
    if logs[known].isinf().any():
        raise ValueError(f"losses: expected finite numbers, got {logs.tolist()}.")
    mass, moved = shares[known].sum(), shares.clone()
    if mass > 0:
        # A softmax, so that a large loss does not overflow.
        moved[known] = mass * (shares[known].log() + logs[known]).softmax(dim=0)
    return moved


def average_weights(history: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of the weights over the steps, which is the mixture to train the real model on.

    Raises:
        ValueError: there is no step, or the domains change.

    Source:
        Xie et al. 2023, arXiv:2305.10429, Algorithm 1 (its return value).

    >>> average_weights([{"web": 0.5, "code": 0.5}, {"web": 0.75, "code": 0.25}])
    {'web': 0.625, 'code': 0.375}
    """
    if not history or any(set(weights) != set(history[0]) for weights in history):
        raise ValueError("history: expected weights of the same domains at every step, got others.")
    return {name: sum(weights[name] for weights in history) / len(history) for name in history[0]}
