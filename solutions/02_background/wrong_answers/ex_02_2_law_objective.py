"""Plausible wrong answers to ex-02-2, how badly a law fits."""

import torch


def _predicted(constants, n_parameters, n_tokens):
    a, b, e, alpha, beta = constants
    large = a - alpha * n_parameters.log()
    long = b - beta * n_tokens.log()
    return torch.stack([large, long, e.expand_as(large)]).logsumexp(dim=0)


def losses_instead_of_logarithms(constants, n_parameters, n_tokens, losses, delta=1e-3):
    """The difference of the losses, not of their logarithms."""
    apart = (_predicted(constants, n_parameters, n_tokens).exp() - losses).abs()
    return torch.where(apart <= delta, apart**2 / 2, delta * (apart - delta / 2)).sum()


def squares(constants, n_parameters, n_tokens, losses, delta=1e-3):
    """Least squares: one bad run may decide."""
    apart = _predicted(constants, n_parameters, n_tokens) - losses.log()
    return (apart**2 / 2).sum()


def mean_over_the_runs(constants, n_parameters, n_tokens, losses, delta=1e-3):
    """The mean instead of the sum."""
    apart = (_predicted(constants, n_parameters, n_tokens) - losses.log()).abs()
    return torch.where(apart <= delta, apart**2 / 2, delta * (apart - delta / 2)).mean()


def sign_kept(constants, n_parameters, n_tokens, losses, delta=1e-3):
    """Without the absolute value a loss that is far too low is rewarded."""
    apart = _predicted(constants, n_parameters, n_tokens) - losses.log()
    return torch.where(apart <= delta, apart**2 / 2, delta * (apart - delta / 2)).sum()


def a_step_at_delta(constants, n_parameters, n_tokens, losses, delta=1e-3):
    """The line does not join the square: half of delta is not taken away."""
    apart = (_predicted(constants, n_parameters, n_tokens) - losses.log()).abs()
    return torch.where(apart <= delta, apart**2 / 2, delta * apart).sum()


def constants_not_exponentiated(constants, n_parameters, n_tokens, losses, delta=1e-3):
    """a, b and e are taken for A, B and E."""
    a, b, e, alpha, beta = constants
    predicted = (a / n_parameters**alpha + b / n_tokens**beta + e).log()
    apart = (predicted - losses.log()).abs()
    return torch.where(apart <= delta, apart**2 / 2, delta * (apart - delta / 2)).sum()


def overflows(constants, n_parameters, n_tokens, losses, delta=1e-3):
    """The exponentials are added as they are: large constants overflow."""
    a, b, e, alpha, beta = constants
    predicted = a.exp() / n_parameters**alpha + b.exp() / n_tokens**beta + e.exp()
    apart = (predicted.log() - losses.log()).abs()
    return torch.where(apart <= delta, apart**2 / 2, delta * (apart - delta / 2)).sum()
