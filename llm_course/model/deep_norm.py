"""DeepNorm's two constants, which let post-norm Transformers be a thousand layers deep.

The stream is multiplied by ``alpha`` before a sub-layer is added to it
(``placement.post_norm``), and the initial feed-forward, value and output weights by ``beta``
(``initialise.py``). The deeper the model, the larger alpha and the smaller beta.
"""

from typing import NamedTuple


class DeepNorm(NamedTuple):
    """What the stream is multiplied by, and the initial weights."""

    alpha: float
    beta: float


def deep_norm_one_stack(n_layers: int) -> DeepNorm:
    """Decoder alone, or encoder alone: ``alpha = (2 M) ** (1/4)``, ``beta = (8 M) ** (-1/4)``.

    Raises:
        ValueError: there is no layer.

    Source:
        Wang et al. 2022, arXiv:2203.00555, figure 2.

    >>> deep_norm_one_stack(8).alpha
    2.0
    >>> deep_norm_one_stack(2).beta
    0.5
    """
    _check(n_layers=n_layers)
    return DeepNorm((2 * n_layers) ** (1 / 4), (8 * n_layers) ** (-1 / 4))


def deep_norm_encoder(n_encoder_layers: int, n_decoder_layers: int) -> DeepNorm:
    """Encoder of ``N`` layers before a decoder of ``M``.

    ``alpha = 0.81 (N⁴ M) ** (1/16)``, ``beta = 0.87 (N⁴ M) ** (-1/16)``

    Raises:
        ValueError: there is no layer.

    Source:
        Wang et al. 2022, arXiv:2203.00555, figure 2.

    >>> alpha, beta = deep_norm_encoder(16, 1)  # (16⁴) ** (1/16) = 2
    >>> round(alpha, 4), round(beta, 4)
    (1.62, 0.435)
    """
    _check(n_encoder_layers=n_encoder_layers, n_decoder_layers=n_decoder_layers)
    product = n_encoder_layers**4 * n_decoder_layers
    return DeepNorm(0.81 * product ** (1 / 16), 0.87 * product ** (-1 / 16))


def deep_norm_decoder(n_decoder_layers: int) -> DeepNorm:
    """Decoder of ``M`` layers after an encoder.

    ``alpha = (3 M) ** (1/4)``, ``beta = (12 M) ** (-1/4)``

    It has three sub-layers a block where a decoder alone has two.

    Raises:
        ValueError: there is no layer.

    Source:
        Wang et al. 2022, arXiv:2203.00555, figure 2.

    >>> round(deep_norm_decoder(27).alpha, 4)  # 81 ** (1/4)
    3.0
    """
    _check(n_decoder_layers=n_decoder_layers)
    return DeepNorm((3 * n_decoder_layers) ** (1 / 4), (12 * n_decoder_layers) ** (-1 / 4))


def _check(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}: expected 1 or more, got {count}.")
