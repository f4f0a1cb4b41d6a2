"""Counts in closed form equal the weights of models that are really built (without memory)."""

from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.decoder import Decoder
from llm_course.model.presets import bloom_176b, gpt2_small, llama2_7b, mistral_7b
from llm_course.pretrained.pretrained_model import NoInitialWeights
from llm_course.scaling.counting import chinchilla_70b_parts, count_decoder, count_parts
from llm_course.scaling.published import LLAMA, gpt3_175b, llama

TINY = DecoderConfig(
    vocab_size=11, context_length=7, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=5
)
CONFIGS = {
    "GPT-2": gpt2_small(),
    "GPT-3": gpt3_175b(),
    "LLaMA-2 7B": llama2_7b(),
    "Mistral 7B": mistral_7b(),
    "grouped": TINY,
    "with biases": replace(TINY, bias=True, norm="layer_norm", feed_forward="gelu"),
    "gated, biases, untied": replace(TINY, bias=True, tie_embeddings=False, position="learned"),
    **{f"LLaMA {size}": llama(size) for size in LLAMA},
}


@pytest.mark.parametrize("name", CONFIGS)
def test_the_closed_form_equals_the_course_decoder(name):
    with torch.device("meta"), NoInitialWeights():
        model = Decoder(CONFIGS[name])
    parts = count_parts(CONFIGS[name])
    assert parts.total == model.n_parameters
    matrices = [p for n, p in model.blocks.named_parameters() if p.dim() > 1]
    assert parts.attention + parts.feed_forward == sum(p.numel() for p in matrices)


def transformers_count(config) -> int:
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config).num_parameters()


@pytest.mark.parametrize("size", LLAMA)
def test_llama_equals_transformers(size):
    ours = llama(size)
    config = LlamaConfig(
        vocab_size=32_000, hidden_size=ours.d_model, num_hidden_layers=ours.n_layers,
        num_attention_heads=ours.n_heads, intermediate_size=ours.d_ff,
    )  # fmt: skip
    assert count_parts(ours).total == transformers_count(config)


def test_gpts_equal_transformers():
    for ours in (gpt2_small(), gpt3_175b()):
        config = GPT2Config(
            n_positions=ours.context_length, n_embd=ours.d_model, n_layer=ours.n_layers,
            n_head=ours.n_heads,
        )  # fmt: skip
        assert count_parts(ours).total == transformers_count(config)


def test_what_the_papers_say():
    """In millions and billions, as printed; GPT-2's paper says 117 million, the model has 124."""
    assert count_parts(gpt2_small()).total == 124_439_808
    assert round(count_parts(gpt2_small()).non_embedding / 1e6) == 85
    assert round(count_parts(gpt3_175b()).total / 1e9) == 175
    found = {size: round(count_parts(llama(size)).total / 1e9, 1) for size in LLAMA}
    assert found == {"7B": 6.7, "13B": 13.0, "33B": 32.5, "65B": 65.3}  # table 2 of the paper
    parts = chinchilla_70b_parts()
    assert round(parts.total / 1e9) == 70
    without = parts.total - 80 * 8192**2  # the projections of relative positions
    assert round(without / 1e9) == 65


def test_the_short_count_is_that_of_the_matrices():
    for gated in (False, True):
        config = replace(TINY, n_kv_heads=4, feed_forward="swiglu" if gated else "relu")
        parts = count_parts(config)
        blocks, embedding, flops = count_decoder(2, 16, 5, 11, n_tokens=3, gated=gated)
        assert blocks == parts.attention + parts.feed_forward
        assert embedding == parts.embedding
        assert flops == 18 * (blocks + embedding)


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match="n_tokens: expected 1 or more, got 0"):
        count_decoder(1, 1, 1, 1, n_tokens=0)
    with pytest.raises(ValueError, match="placement: expected pre, got post"):
        count_parts(replace(TINY, wiring=Wiring(placement="post")))
    with pytest.raises(ValueError, match="size: expected one of 7B, .*got '8B'"):
        llama("8B")
    assert count_parts(bloom_176b()).positions == 0
