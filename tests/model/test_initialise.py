"""The deviation of each initial weight. The plain decoder's are in test_decoder as well."""

from dataclasses import replace

import pytest
import torch

from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.decoder import Decoder
from llm_course.model.deep_norm import DeepNorm
from llm_course.model.encoder import Encoder

WIDE = DecoderConfig(
    vocab_size=500, context_length=16, d_model=192, n_layers=8, n_heads=4, n_kv_heads=2, d_ff=768
)


def deviations(model: torch.nn.Module) -> dict[str, float]:
    return {name: w.std().item() for name, w in model.named_parameters() if w.dim() > 1}


@pytest.mark.parametrize("placement", ["pre", "sandwich", "parallel"])
def test_gpt_2s_deviations(placement):
    for name, found in deviations(
        Decoder(replace(WIDE, wiring=Wiring(placement=placement)))
    ).items():
        residual = name.endswith(("attention.output.weight", "down.weight"))
        assert found == pytest.approx(0.02 / 4 if residual else 0.02, rel=0.05), name


@pytest.mark.parametrize("kind", ["gelu", "swiglu"])
@pytest.mark.parametrize("placement", ["post", "deep_norm"])
def test_xaviers_deviations_and_deep_norms_gain(placement, kind):
    config = replace(WIDE, feed_forward=kind, wiring=Wiring(placement=placement))
    beta = (8 * 8) ** -0.25 if placement == "deep_norm" else 1.0
    model = Decoder(config)
    for name, found in deviations(model).items():
        if not name.startswith("blocks."):
            assert found == pytest.approx(0.02, rel=0.05), name
            continue
        xavier = torch.empty_like(model.get_parameter(name))
        gain = 1.0 if "query" in name or "key" in name else beta
        torch.manual_seed(0)
        torch.nn.init.xavier_normal_(xavier, gain=gain)
        assert found == pytest.approx(xavier.std().item(), rel=0.05), name


def test_given_constants_are_used():
    config = replace(WIDE, wiring=Wiring(placement="deep_norm"))
    plain, given = Encoder(config), Encoder(config, deep_norm=DeepNorm(alpha=5.0, beta=0.01))
    name = "blocks.0.attention.value.weight"
    ratio = given.get_parameter(name) / plain.get_parameter(name)
    torch.testing.assert_close(ratio, torch.full_like(ratio, 0.01 * 64**0.25))
    assert {block.alpha for block in given.blocks} == {5.0}


def test_norms_are_one_and_biases_zero():
    config = replace(WIDE, norm="layer_norm", bias=True, wiring=Wiring(placement="post"))
    for name, weight in Decoder(config).named_parameters():
        if weight.dim() == 1:
            assert weight.unique().tolist() == [0.0 if name.endswith("bias") else 1.0], name


def test_the_numbers_of_a_plain_decoder_are_those_it_always_had():
    # Drawn in the order of the names: embedding, blocks, output. A change here changes every run.
    model = Decoder(replace(WIDE, n_layers=1, tie_embeddings=False))
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        if weight.dim() > 1:
            drawn = torch.randn(weight.shape, generator=generator)
            scale = (weight / drawn).median()
            torch.testing.assert_close(weight, drawn * scale)
