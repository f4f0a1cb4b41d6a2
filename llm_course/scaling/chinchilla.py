"""The Chinchilla law, and how a budget of work is best spent by it.

A loss that no model of this kind can undercut, and two sums on top: one that falls with the size of
the model and one that falls with the text.
"""

from typing import NamedTuple


class ChinchillaLaw(NamedTuple):
    """``loss = E + A / N ** alpha + B / D ** beta``.

    Args:
        E: the loss that remains, in nats a token.
        A: what smallness of the model costs.
        B: what shortness of the text costs.
        alpha: how fast the first falls.
        beta: how fast the second falls.
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def loss(self, n_parameters: float, n_tokens: float) -> float:
        """The loss of a model of N parameters after D tokens; tensors and arrays do as well.

        >>> ChinchillaLaw(1.0, 8.0, 9.0, alpha=0.5, beta=0.5).loss(16.0, 9.0)
        6.0
        """
        return self.E + self.A / n_parameters**self.alpha + self.B / n_tokens**self.beta


PUBLISHED = {
    "body of the paper": ChinchillaLaw(1.69, 406.4, 410.7, 0.34, 0.28),
    "source of the paper": ChinchillaLaw(1.69, 406.4, 410.7, 0.3392, 0.2849),
    "refit": ChinchillaLaw(1.8172, 482.01, 2085.43, 0.3478, 0.3658),
}
"""Three sets of constants for one law: as printed (arXiv:2203.15556, eq. 10), with the digits that
its source files have, and fitted anew to the points of its figure (Besiroglu et al. 2024,
arXiv:2404.10102, which also gives the second)."""


def optimal_allocation(flops: float, law: ChinchillaLaw) -> tuple[float, float]:
    """Parameters and tokens with the least loss of all that cost ``6 N D = flops``.

    ``N = G (C/6) ** a`` and ``D = (C/6) ** b / G`` with ``G = (αA / βB) ** (1/(α+β))``,
    ``a = β/(α+β)``, ``b = α/(α+β)``.

    Args:
        flops: the budget, in floating-point operations.
        law: what the loss follows.

    Returns:
        N, in parameters, and D, in tokens.

    Raises:
        ValueError: the budget is not positive.

    Source:
        Hoffmann et al. 2022, arXiv:2203.15556, eq. 4.

    >>> optimal_allocation(6e4, ChinchillaLaw(1.0, 1.0, 1.0, alpha=0.5, beta=0.5))
    (100.0, 100.0)
    """
    if not flops > 0:
        raise ValueError(f"flops: expected a positive number, got {flops}.")
    _, A, B, alpha, beta = law
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    n_parameters = G * (flops / 6) ** (beta / (alpha + beta))
    return n_parameters, flops / 6 / n_parameters
