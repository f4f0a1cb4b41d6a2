"""DeepNorm's constants, and what they are for: gradients that survive a thousand layers."""

import math

import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from hypothesis import given
from hypothesis import strategies as st

from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.decoder import Decoder
from llm_course.model.deep_norm import deep_norm_decoder, deep_norm_encoder, deep_norm_one_stack


def test_constants_by_hand():
    assert deep_norm_one_stack(128).alpha == 4.0  # 256 ** (1/4)
    assert deep_norm_one_stack(32).beta == 0.25  # 256 ** (-1/4)
    assert deep_norm_decoder(27).alpha == pytest.approx(3)  # 81 ** (1/4)
    assert deep_norm_decoder(108).beta == pytest.approx(1 / 6)  # 1296 ** (-1/4)
    alpha, beta = deep_norm_encoder(8, 16)  # (8⁴ * 16) ** (1/16) = 2
    assert alpha == pytest.approx(0.81 * 2)
    assert beta == pytest.approx(0.87 / 2)


@given(st.integers(1, 2000))
def test_all_sub_layers_together_move_the_output_by_one(n_layers):
    """What the constants are derived from: sub-layers * 2 beta² / alpha² = 1 (section 4.2)."""
    for sub_layers, (alpha, beta) in (
        (2 * n_layers, deep_norm_one_stack(n_layers)),
        (3 * n_layers, deep_norm_decoder(n_layers)),
    ):
        assert sub_layers * 2 * beta**2 / alpha**2 == pytest.approx(1)


@given(st.integers(1, 500), st.integers(1, 500))
def test_the_encoder_counts_its_own_depth_four_times(n_encoder, n_decoder):
    alpha, beta = deep_norm_encoder(n_encoder, n_decoder)
    assert alpha * beta == pytest.approx(0.81 * 0.87)
    expected = math.log(0.81) + (4 * math.log(n_encoder) + math.log(n_decoder)) / 16
    assert math.log(alpha) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("function", "counts", "name"),
    [
        (deep_norm_one_stack, (0,), "n_layers"),
        (deep_norm_encoder, (0, 3), "n_encoder_layers"),
        (deep_norm_encoder, (3, 0), "n_decoder_layers"),
        (deep_norm_decoder, (0,), "n_decoder_layers"),
    ],
)
def test_no_layers_are_refused(function, counts, name):
    with pytest.raises(ValueError) as caught:
        function(*counts)
    assert str(caught.value) == f"{name}: expected 1 or more, got 0."


def gradient_norms(placement: str, part: str) -> list[float]:
    """The gradient norm of one matrix of every block, 1,000 blocks, at the first step."""
    config = DecoderConfig(
        vocab_size=20, context_length=12, d_model=16, n_layers=1000, n_heads=2, d_ff=64,
        norm="layer_norm", feed_forward="relu", position="sinusoidal", bias=True,
        wiring=Wiring(placement=placement, embedding_scale=4.0),
    )  # fmt: skip
    model = Decoder(config).double()
    tokens = torch.randint(20, (2, 12), generator=torch.Generator().manual_seed(1))
    predicted = rearrange(model(tokens)[:, :-1], "b t v -> (b t) v")
    loss = F.cross_entropy(predicted, rearrange(tokens[:, 1:], "b t -> (b t)"))
    weights = [block.get_parameter(part) for block in model.blocks]
    return [gradient.norm().item() for gradient in torch.autograd.grad(loss, weights)]


@pytest.mark.parametrize("part", ["feed_forward.up.weight", "attention.value.weight"])
def test_at_1000_layers_deep_norm_reaches_the_first_layer_and_post_norm_does_not(part):
    deep, post = (gradient_norms(placement, part) for placement in ("deep_norm", "post"))
    ratio = deep[0] / deep[-1]
    assert 0.1 < ratio < 10, f"DeepNorm: first / last gradient norm is {ratio:.2g}"
    ratio = post[0] / post[-1]
    assert 0 < ratio < 1e-6, f"post-norm: first / last gradient norm is {ratio:.2g}"
    assert all(math.isfinite(norm) for norm in deep + post), "it vanishes, it does not overflow"
