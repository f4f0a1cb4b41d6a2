"""The presets have the published numbers of weights, counted without holding one of them."""

from dataclasses import replace

import pytest
import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BloomConfig,
    BloomForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from llm_course.model import presets
from llm_course.model.config import DecoderConfig, EncoderDecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.model.encoder_decoder import EncoderDecoder


def build(config: DecoderConfig | EncoderDecoderConfig) -> Decoder | EncoderDecoder:
    kind = EncoderDecoder if isinstance(config, EncoderDecoderConfig) else Decoder
    with torch.device("meta"):
        return kind(config)


@pytest.mark.parametrize(
    ("config", "published"),
    [
        (presets.gpt2_small(), 124_439_808),
        (presets.llama2_7b(), 6_738_415_616),
        (presets.mistral_7b(), 7_241_732_096),
        (presets.bloom_176b(), 176_247_271_424),
        (presets.t5_small(), 60_506_624),
        (presets.t5_base(), 222_903_552),
        # The file has two rows more in each table of positions, which no token ever reads.
        (presets.bart_base(), 139_420_416 - 2 * 2 * 768),
    ],
)
def test_published_counts(config, published):
    assert build(config).n_parameters == published


def theirs(config) -> int:
    """The number of weights of Transformers' model of a config, tied ones counted once."""
    kind = {
        GPT2Config: GPT2LMHeadModel, LlamaConfig: LlamaForCausalLM, BloomConfig: BloomForCausalLM,
        MistralConfig: MistralForCausalLM, T5Config: T5ForConditionalGeneration,
        BartConfig: BartForConditionalGeneration,
    }[type(config)]  # fmt: skip
    with torch.device("meta"):
        return sum(weight.numel() for weight in kind(config).parameters())


@pytest.mark.parametrize(
    ("config", "reference", "unread"),
    [
        (presets.gpt2_small(), GPT2Config(n_layer=2), 0),
        (presets.llama2_7b(), LlamaConfig(num_hidden_layers=2), 0),
        (presets.mistral_7b(), MistralConfig(num_hidden_layers=2), 0),
        (presets.bloom_176b(), BloomConfig(hidden_size=14_336, n_layer=2, n_head=112), 0),
        (presets.t5_small(), T5Config(num_layers=2), 0),
        (
            presets.bart_base(),
            BartConfig(
                d_model=768, encoder_layers=2, decoder_layers=2, encoder_attention_heads=12,
                decoder_attention_heads=12, encoder_ffn_dim=3072, decoder_ffn_dim=3072,
            ),
            2 * 2 * 768,
        ),
    ],
)  # fmt: skip
def test_counts_of_two_layers_equal_transformers(config, reference, unread):
    if isinstance(config, EncoderDecoderConfig):
        short = replace(
            config,
            encoder=replace(config.encoder, n_layers=2),
            decoder=replace(config.decoder, n_layers=2),
        )
    else:
        short = replace(config, n_layers=2)
    assert build(short).n_parameters == theirs(reference) - unread


def test_the_first_transformer_has_about_65_million_weights():
    model = build(presets.vanilla_base())
    d, d_ff, vocabulary = 512, 2048, 37_000
    attention, feed_forward, norm = 4 * (d * d + d), d * d_ff + d_ff + d_ff * d + d, 2 * d
    encoder = 6 * (attention + feed_forward + 2 * norm)
    decoder = 6 * (2 * attention + feed_forward + 3 * norm)
    assert model.n_parameters == vocabulary * d + encoder + decoder == 63_082_496
    assert abs(model.n_parameters / 65e6 - 1) < 0.03, "table 3 of the paper says 65 million"
    theirs = torch.nn.Transformer(512, 8, 6, 6, 2048, batch_first=True, device="meta")
    last_norms = 2 * norm  # PyTorch's; the paper has none
    assert encoder + decoder == sum(w.numel() for w in theirs.parameters()) - last_norms


def test_the_smallest_palm_has_8_63_billion_weights():
    assert round(build(presets.palm_8b()).n_parameters / 1e9, 2) == 8.63, "table 1 of the paper"


def test_the_parts_are_those_of_the_papers():
    parts = {
        name: (c.norm, c.feed_forward, c.position, c.wiring.placement)
        for name, c in {
            "vanilla": presets.vanilla_base().decoder, "gpt2": presets.gpt2_small(),
            "t5": presets.t5_small().decoder, "bart": presets.bart_base().decoder,
            "palm": presets.palm_8b(), "bloom": presets.bloom_176b(),
            "llama": presets.llama2_7b(), "mistral": presets.mistral_7b(),
        }.items()
    }  # fmt: skip
    assert parts == {
        "vanilla": ("layer_norm", "relu", "sinusoidal", "post"),
        "gpt2": ("layer_norm", "gelu_tanh", "learned", "pre"),
        "t5": ("rms_norm", "relu", "t5", "pre"),
        "bart": ("layer_norm", "gelu", "learned", "post"),
        "palm": ("layer_norm", "swiglu", "rope", "parallel"),
        "bloom": ("layer_norm", "gelu_tanh", "alibi", "pre"),
        "llama": ("rms_norm", "swiglu", "rope", "pre"),
        "mistral": ("rms_norm", "swiglu", "rope", "pre"),
    }
