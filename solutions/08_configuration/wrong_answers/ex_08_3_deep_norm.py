"""Plausible wrong answers to ex-08-3, DeepNorm's constants."""


def _check(n_layers):
    if n_layers < 1:
        raise ValueError("n_layers: expected 1 or more.")


def brackets_lost(n_layers):
    """The exponent is applied before the product: 2 * M^(1/4)."""
    _check(n_layers)
    return 2 * n_layers**0.25, 8 * n_layers**-0.25


def square_roots(n_layers):
    """The root is the second, not the fourth."""
    _check(n_layers)
    return (2 * n_layers) ** 0.5, (8 * n_layers) ** -0.5


def of_an_encoder_decoder(n_layers):
    """The constants of a decoder behind an encoder, with its three sub-layers."""
    _check(n_layers)
    return (3 * n_layers) ** 0.25, (12 * n_layers) ** -0.25


def swapped(n_layers):
    """alpha and beta have changed places."""
    _check(n_layers)
    return (8 * n_layers) ** -0.25, (2 * n_layers) ** 0.25


def beta_grows(n_layers):
    """The sign of beta's exponent is lost, so that deeper models begin with larger weights."""
    _check(n_layers)
    return (2 * n_layers) ** 0.25, (8 * n_layers) ** 0.25


def no_layers_no_error(n_layers):
    """Right, but fewer layers than one are taken for one."""
    n_layers = max(n_layers, 1)
    return (2 * n_layers) ** 0.25, (8 * n_layers) ** -0.25
