"""The KM scaling laws: loss as a power of one thing, while the others are plentiful.

Constants hold for the tokens of WebText2 under GPT-2's vocabulary; what carries over to another
corpus is the form, and about the exponents.
"""

from typing import NamedTuple


class PowerLaw(NamedTuple):
    """``loss = (scale / x) ** exponent``, in nats a token.

    Args:
        scale: where the loss would be 1.
        exponent: how fast it falls.
    """

    scale: float
    exponent: float

    def loss(self, x: float) -> float:
        """The loss at ``x``.

        Raises:
            ValueError: ``x`` is not positive.

        >>> PowerLaw(scale=16.0, exponent=0.5).loss(4.0)
        2.0
        """
        if not x > 0:
            raise ValueError(f"x: expected a positive number, got {x}.")
        return (self.scale / x) ** self.exponent


PARAMETERS = PowerLaw(scale=8.8e13, exponent=0.076)
"""In non-embedding parameters, with text in plenty (eq. 1.1)."""

TOKENS = PowerLaw(scale=5.4e13, exponent=0.095)
"""In tokens of text, for a large model that is stopped early (eq. 1.2)."""

COMPUTE = PowerLaw(scale=3.1e8, exponent=0.050)
"""In petaflop/s-days, spent as well as can be (eq. 1.3)."""

PARAMETERS_WITH_TOKENS = PowerLaw(scale=6.4e13, exponent=0.076)
TOKENS_WITH_PARAMETERS = PowerLaw(scale=1.8e13, exponent=0.103)
"""The constants of both together, fitted at once (table 2)."""

PETAFLOP_DAY = 1e15 * 24 * 3600
"""Floating-point operations of a petaflop/s-day."""


def kaplan_loss(
    n_parameters: float,
    n_tokens: float,
    parameters: PowerLaw = PARAMETERS_WITH_TOKENS,
    tokens: PowerLaw = TOKENS_WITH_PARAMETERS,
) -> float:
    """Loss of a model of limited size on limited text, in nats a token.

    ``((N_c / N) ** (α_N / α_D) + D_c / D) ** α_D``

    Args:
        n_parameters: non-embedding.
        n_tokens: of the text, read more than once if that still helps.
        parameters: N_c and α_N.
        tokens: D_c and α_D.

    Raises:
        ValueError: a number is not positive.

    Source:
        Kaplan et al. 2020, arXiv:2001.08361, eq. 1.5 and table 2.

    >>> kaplan_loss(4.0, 1e30, PowerLaw(16.0, 0.5), PowerLaw(1.0, 0.25))
    2.0
    """
    for name, value in {"n_parameters": n_parameters, "n_tokens": n_tokens}.items():
        if not value > 0:
            raise ValueError(f"{name}: expected a positive number, got {value}.")
    ratio = parameters.exponent / tokens.exponent
    short = (parameters.scale / n_parameters) ** ratio + tokens.scale / n_tokens
    return short**tokens.exponent
