"""DeepNorm's constants: how much of the stream is kept, and how small the weights begin.

``x = norm(alpha * x + sub_layer(x))``: a post-norm block whose residual stream is scaled up, and
whose feed-forward, value and output weights are drawn smaller by ``beta``. Both follow from the
number of layers so that one update changes the model's output by a bounded amount at any depth.
"""

from typing import NamedTuple


class DeepNorm(NamedTuple):
    """The two constants: ``alpha`` scales the stream, ``beta`` the initial weights."""

    alpha: float
    beta: float


def deep_norm_decoder(n_layers: int) -> DeepNorm:
    """For a decoder or an encoder alone: ``alpha = (2M)^(1/4)``, ``beta = (8M)^(-1/4)``.

    Raises:
        ValueError: the number of layers is not positive.

    Source:
        Wang et al. 2022, arXiv:2203.00555, figure 2.

    >>> deep_norm_decoder(8)
    DeepNorm(alpha=2.0, beta=0.3535533905932738)
    """
    _check(n_layers=n_layers)
    return DeepNorm((2 * n_layers) ** 0.25, (8 * n_layers) ** -0.25)


def deep_norm_encoder_decoder(
    encoder_layers: int, decoder_layers: int
) -> tuple[DeepNorm, DeepNorm]:
    """For the encoder and the decoder of one model, of ``N`` and ``M`` layers.

    Encoder: ``alpha = 0.81 (N⁴ M)^(1/16)``, ``beta = 0.87 (N⁴ M)^(-1/16)``; decoder:
    ``alpha = (3M)^(1/4)``, ``beta = (12M)^(-1/4)``.

    Raises:
        ValueError: a number of layers is not positive.

    Source:
        Wang et al. 2022, arXiv:2203.00555, figure 2.

    >>> encoder, decoder = deep_norm_encoder_decoder(1, 27)
    >>> decoder.alpha, round(encoder.alpha / 0.81, 6) == round(27 ** (1 / 16), 6)
    (3.0, True)
    """
    _check(encoder_layers=encoder_layers, decoder_layers=decoder_layers)
    both = float(encoder_layers**4 * decoder_layers)
    return (
        DeepNorm(0.81 * both ** (1 / 16), 0.87 * both ** (-1 / 16)),
        DeepNorm((3 * decoder_layers) ** 0.25, (12 * decoder_layers) ** -0.25),
    )


def _check(**layers: int) -> None:
    """Refuse what is no number of layers."""
    for name, count in layers.items():
        if count < 1:
            raise ValueError(f"{name}: expected a positive integer, got {count}.")
