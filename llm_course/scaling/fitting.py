"""Fitting the Chinchilla law to runs: Huber's loss of logarithms, many starts, and a bootstrap.

The logarithm makes errors relative, and Huber's loss keeps one bad run from deciding. The objective
has several valleys, so the search begins in many places and the lowest end counts.
"""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from llm_course.scaling.chinchilla import ChinchillaLaw

_STARTS = list(
    product((0.0, 5.0, 10.0), (0.0, 5.0, 10.0), (0.0,), (0.25, 0.5, 1.0), (0.25, 0.5, 1.0))
)
_PRECISE = {"maxiter": 2000, "ftol": 1e-13, "gtol": 1e-9}


def law_objective(
    constants: Tensor, n_parameters: Tensor, n_tokens: Tensor, losses: Tensor, delta: float = 1e-3
) -> Tensor:
    """How badly a law fits: the sum of Huber's loss of the differences of logarithms.

    With ``constants = (a, b, e, alpha, beta)``, ``A = exp(a)``, ``B = exp(b)``, ``E = exp(e)``:
    ``sum Huber(LSE(a - alpha log N, b - beta log D, e) - log L)``.

    Args:
        constants: of the law, the first three as logarithms.
        n_parameters: N of each run.
        n_tokens: D of each run.
        losses: L of each run.
        delta: from which difference on an error counts linearly.

    Shapes:
        constants ``5``; the others ``r``, one number for each run; returns a scalar.

    Source:
        Hoffmann et al. 2022, arXiv:2203.15556, eq. 3.

    >>> constants = torch.tensor([0.0, 0.0, 0.0, 1.0, 1.0])  # loss = 1 + 1/N + 1/D
    >>> one = torch.ones(1)
    >>> law_objective(constants, one, one, 3 * one).item()
    0.0
    """
    a, b, e, alpha, beta = constants
    terms = (a - alpha * n_parameters.log(), b - beta * n_tokens.log(), e.expand(len(losses)))
    apart = torch.stack(terms).logsumexp(dim=0) - losses.log()
    size = apart.abs()
    return torch.where(size <= delta, apart**2 / 2, delta * (size - delta / 2)).sum()


def fit_law(
    n_parameters: Sequence[float],
    n_tokens: Sequence[float],
    losses: Sequence[float],
    *,
    delta: float = 1e-3,
    starts: Sequence[Sequence[float]] | None = None,
) -> ChinchillaLaw:
    """The law with the smallest objective, of all that the searches end in.

    Args:
        n_parameters: N of each run.
        n_tokens: D of each run.
        losses: L of each run.
        delta: of Huber's loss.
        starts: where the searches begin, ``(a, b, e, alpha, beta)`` each; a grid if not given.

    Raises:
        ValueError: the numbers of runs differ, there are fewer than five, or a number is not
            positive and finite.

    Source:
        Hoffmann et al. 2022, arXiv:2203.15556, section D.2.

    >>> law = ChinchillaLaw(1.0, 20.0, 30.0, 0.4, 0.5)
    >>> sizes, texts = [100] * 3 + [1000] * 3 + [10_000] * 3, [100, 1000, 10_000] * 3
    >>> losses = [law.loss(n, d) for n, d in zip(sizes, texts)]
    >>> round(fit_law(sizes, texts, losses).loss(1e5, 1e5), 2), round(law.loss(1e5, 1e5), 2)
    (1.29, 1.29)
    """
    runs = [torch.tensor(x, dtype=torch.float64) for x in (n_parameters, n_tokens, losses)]
    if len({len(x) for x in runs}) != 1 or len(runs[0]) < 5:
        raise ValueError(
            "runs: expected N, D and a loss for each of at least 5 runs, got "
            f"{', '.join(str(len(x)) for x in runs)}."
        )
    for name, x in zip(("n_parameters", "n_tokens", "losses"), runs, strict=True):
        if not bool(((x > 0) & x.isfinite()).all()):
            raise ValueError(f"{name}: expected positive, finite numbers, got {x.tolist()}.")

    def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
        constants = torch.tensor(point, requires_grad=True)
        # In units of delta: otherwise all slopes are so small that a search ends where it began.
        value = law_objective(constants, *runs, delta) / delta
        return value.item(), torch.autograd.grad(value, constants)[0].numpy()

    ends = [
        minimize(objective, np.array(start), jac=True, method="L-BFGS-B", options=_PRECISE)
        for start in (_STARTS if starts is None else starts)
    ]
    a, b, e, alpha, beta = min(ends, key=lambda end: end.fun).x.tolist()
    return ChinchillaLaw(math.exp(e), math.exp(a), math.exp(b), alpha, beta)


def bootstrap_laws(
    n_parameters: Sequence[float],
    n_tokens: Sequence[float],
    losses: Sequence[float],
    *,
    n: int,
    seed: int,
    delta: float = 1e-3,
) -> list[ChinchillaLaw]:
    """Laws fitted to runs that are drawn with replacement: how far another sweep might be.

    Each search begins at the law of all runs, lifted to a loss that remains of at least 0.4 nats:
    from near zero no slope would lead back.

    Args:
        n_parameters: N of each run.
        n_tokens: D of each run.
        losses: L of each run.
        n: how many laws.
        seed: of the draws.
        delta: of Huber's loss.

    Raises:
        ValueError: as ``fit_law``.

    >>> law = ChinchillaLaw(1.0, 20.0, 30.0, 0.4, 0.5)
    >>> sizes, texts = [100] * 3 + [1000] * 3 + [10_000] * 3, [100, 1000, 10_000] * 3
    >>> losses = [law.loss(n, d) for n, d in zip(sizes, texts)]
    >>> len(bootstrap_laws(sizes, texts, losses, n=2, seed=0))
    2
    """
    whole = fit_law(n_parameters, n_tokens, losses, delta=delta)
    e = max(math.log(whole.E), -1.0)
    start = [math.log(whole.A), math.log(whole.B), e, whole.alpha, whole.beta]
    starts = [start, [5.0, 5.0, 0.0, 0.5, 0.5]]
    rng = np.random.default_rng(seed)
    runs = np.array([n_parameters, n_tokens, losses], dtype=float)
    drawn = (runs[:, rng.integers(runs.shape[1], size=runs.shape[1])].tolist() for _ in range(n))
    return [fit_law(*parts, delta=delta, starts=starts) for parts in drawn]
