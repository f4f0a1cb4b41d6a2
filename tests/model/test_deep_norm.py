"""DeepNorm's constants as the paper's table gives them, and what they are for."""

import math

import pytest
import torch
import torch.nn.functional as F

from llm_course.model.deep_norm import deep_norm_decoder, deep_norm_encoder_decoder
from llm_course.model.heads import merge_heads, split_heads


@pytest.mark.parametrize("layers", [1, 6, 100, 1000])
def test_powers_give_back_the_number_of_layers(layers):
    found = deep_norm_decoder(layers)
    assert found.alpha**4 == pytest.approx(2 * layers)
    assert found.beta**-4 == pytest.approx(8 * layers)
    encoder, decoder = deep_norm_encoder_decoder(layers, 2 * layers)
    assert (encoder.alpha / 0.81) ** 16 == pytest.approx(2 * layers**5)
    assert (encoder.beta / 0.87) ** -16 == pytest.approx(2 * layers**5)
    assert decoder.alpha**4 == pytest.approx(6 * layers)
    assert decoder.beta**-4 == pytest.approx(24 * layers)


def ratio(alpha, beta, layers=1000, d_model=32, n_heads=4, length=8):
    """First over last layer's gradient norm of the feed-forward weights, at initialisation.

    A post-norm decoder, ``norm(alpha x + sub_layer(x))``, of causal attention and ReLU
    feed-forward layers; weights drawn as the paper does (Xavier, gain 1 or ``beta``).
    """
    generator = torch.Generator().manual_seed(0)

    def drawn(rows, columns, gain):
        deviation = gain * math.sqrt(2 / (rows + columns))
        return torch.randn(rows, columns, generator=generator).mul(deviation).requires_grad_()

    sizes = [(d_model, d_model)] * 4 + [(d_model, 4 * d_model), (4 * d_model, d_model)]
    gains = [1.0, 1.0, beta, beta, beta, beta]  # query, key, value, output, up, down
    blocks = [
        [drawn(*size, gain) for size, gain in zip(sizes, gains, strict=True)] for _ in range(layers)
    ]
    x = torch.randn(2, length, d_model, generator=generator)
    target = torch.randn(2, length, d_model, generator=generator)
    for q, k, v, out, up, down in blocks:
        heads = (split_heads(x @ weight, n_heads) for weight in (q, k, v))
        mixed = merge_heads(F.scaled_dot_product_attention(*heads, is_causal=True))
        x = F.layer_norm(alpha * x + mixed @ out, (d_model,))
        x = F.layer_norm(alpha * x + F.relu(x @ up) @ down, (d_model,))
    (x * target).sum().backward()
    first, last = (sum(w.grad.square().sum() for w in blocks[i][4:]).sqrt() for i in (0, -1))
    return (first / last).item()


def test_a_thousand_layers_reach_the_first_one():
    assert 0.1 < ratio(*deep_norm_decoder(1000)) < 10
    assert ratio(1.0, 1.0) < 1e-6, "post-norm without DeepNorm loses the gradient on the way"


def test_no_layers_are_refused():
    with pytest.raises(ValueError, match="n_layers: expected a positive integer, got 0"):
        deep_norm_decoder(0)
    with pytest.raises(ValueError, match="decoder_layers: expected a positive integer, got -1"):
        deep_norm_encoder_decoder(3, -1)
