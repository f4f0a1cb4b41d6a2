"""The decoder's logits equal Transformers', for random-weight Llama and GPT-2 models.

The weights are mapped by hand here, name by name, so that this proof needs no loader of ours.
"""

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from llm_course.model.attention import fused_attention, scaled_dot_product_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import PositionOptions
from llm_course.model.decoder import Decoder
from llm_course.model.introspection import attention_maps, hidden_states
from llm_course.model.masks import causal_mask, padding_mask
from llm_course.model.positions import half_split_to_interleaved

SIZES = {"vocab_size": 60, "context_length": 32, "d_model": 32, "n_layers": 3, "n_heads": 4}
TOKENS = torch.randint(1, 60, (2, 20), generator=torch.Generator().manual_seed(0))
KERNELS = pytest.mark.parametrize("attend", [scaled_dot_product_attention, fused_attention])


def enliven(model: nn.Module) -> nn.Module:
    """Draw every weight, norms and biases too: at their initial 1 and 0 they could be ignored."""
    generator = torch.Generator().manual_seed(1)
    for weight in model.parameters():
        nn.init.normal_(weight, mean=float(weight.dim() == 1), std=0.2, generator=generator)
    return model.eval()


def llama(tie: bool) -> LlamaForCausalLM:
    return enliven(
        LlamaForCausalLM(
            LlamaConfig(
                vocab_size=60,
                hidden_size=32,
                intermediate_size=48,
                num_hidden_layers=3,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=32,
                rms_norm_eps=1e-3,
                rope_parameters={"rope_type": "default", "rope_theta": 500.0},
                tie_word_embeddings=tie,
                attn_implementation="eager",
            )  # fmt: skip
        )
    )


def from_llama(theirs: LlamaForCausalLM, attend, pairing: str = "half_split") -> Decoder:
    parts = {
        "attention_norm": "input_layernorm", "feed_forward_norm": "post_attention_layernorm",
        "attention.query": "self_attn.q_proj", "attention.key": "self_attn.k_proj",
        "attention.value": "self_attn.v_proj", "attention.output": "self_attn.o_proj",
        "feed_forward.gate": "mlp.gate_proj", "feed_forward.up": "mlp.up_proj",
        "feed_forward.down": "mlp.down_proj",
    }  # fmt: skip
    source, tie = theirs.state_dict(), theirs.config.tie_word_embeddings
    state = {
        f"blocks.{i}.{ours}.weight": source[f"model.layers.{i}.{name}.weight"]
        for i in range(3)
        for ours, name in parts.items()
    }
    state["embedding.weight"] = source["model.embed_tokens.weight"]
    state["final_norm.weight"] = source["model.norm.weight"]
    if not tie:
        state["output.weight"] = source["lm_head.weight"]
    if pairing == "interleaved":
        for i in range(3):
            for part, n_heads in (("query", 4), ("key", 2)):
                name = f"blocks.{i}.attention.{part}.weight"
                state[name] = half_split_to_interleaved(state[name], n_heads)
    config = DecoderConfig(
        **SIZES, n_kv_heads=2, d_ff=48, norm_eps=1e-3, tie_embeddings=tie,
        position_options=PositionOptions(rope_base=500.0, rope_pairing=pairing),
    )  # fmt: skip
    model = Decoder(config, attend=attend)
    model.load_state_dict(state)
    return model


def gpt2() -> GPT2LMHeadModel:
    return enliven(
        GPT2LMHeadModel(
            GPT2Config(
                vocab_size=60,
                n_positions=32,
                n_embd=32,
                n_layer=3,
                n_head=4,
                n_inner=48,
                layer_norm_epsilon=1e-3,
                attn_implementation="eager",
            )  # fmt: skip
        )
    )


def from_gpt2(theirs: GPT2LMHeadModel, attend) -> Decoder:
    source = {name.removeprefix("transformer."): w for name, w in theirs.state_dict().items()}
    # GPT-2 keeps its matrices as x @ w: the transpose of nn.Linear's.
    linear = {name: w.T if w.dim() == 2 else w for name, w in source.items()}
    norms = {"attention_norm": "ln_1", "feed_forward_norm": "ln_2"}
    linears = {
        "attention.output": "attn.c_proj", "feed_forward.up": "mlp.c_fc",
        "feed_forward.down": "mlp.c_proj",
    }  # fmt: skip
    state = {
        "embedding.weight": source["wte.weight"],
        "position_embedding.weight": source["wpe.weight"],
    }
    for kind in ("weight", "bias"):
        state[f"final_norm.{kind}"] = source[f"ln_f.{kind}"]
        for i in range(3):
            for ours, name in norms.items():
                state[f"blocks.{i}.{ours}.{kind}"] = source[f"h.{i}.{name}.{kind}"]
            for ours, name in linears.items():
                state[f"blocks.{i}.{ours}.{kind}"] = linear[f"h.{i}.{name}.{kind}"]
            thirds = linear[f"h.{i}.attn.c_attn.{kind}"].chunk(3)
            for ours, third in zip(("query", "key", "value"), thirds, strict=True):
                state[f"blocks.{i}.attention.{ours}.{kind}"] = third
    config = DecoderConfig(
        **SIZES, d_ff=48, norm="layer_norm", norm_eps=1e-3, feed_forward="gelu_tanh",
        position="learned", bias=True,
    )  # fmt: skip
    model = Decoder(config, attend=attend)
    model.load_state_dict(state)
    return model


@KERNELS
@pytest.mark.parametrize("tie", [True, False])
@pytest.mark.parametrize("pairing", ["half_split", "interleaved"])
@torch.no_grad()
def test_logits_equal_llama(attend, tie, pairing):
    theirs = llama(tie)
    expected = theirs(TOKENS).logits
    ours = from_llama(theirs, attend, pairing)(TOKENS)
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)


@KERNELS
@torch.no_grad()
def test_logits_equal_gpt2(attend):
    theirs = gpt2()
    ours = from_gpt2(theirs, attend)(TOKENS)
    torch.testing.assert_close(ours, theirs(TOKENS).logits, atol=1e-5, rtol=1e-5)


@KERNELS
@pytest.mark.parametrize(("make", "convert"), [(llama, from_llama), (gpt2, from_gpt2)])
@torch.no_grad()
def test_logits_of_a_left_padded_batch_equal_theirs(attend, make, convert):
    theirs = make(True) if make is llama else make()
    tokens, real = TOKENS.clone(), torch.ones(2, 20, dtype=torch.long)
    tokens[0, :6], real[0, :6] = 0, 0
    positions = (real.cumsum(-1) - 1).clamp(min=0)
    expected = theirs(tokens, attention_mask=real, position_ids=positions).logits
    mask = causal_mask(20) & padding_mask(tokens, pad_id=0)
    ours = convert(theirs, attend)(tokens, positions, mask)
    torch.testing.assert_close(ours[real > 0], expected[real > 0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("make", "convert"), [(llama, from_llama), (gpt2, from_gpt2)])
@torch.no_grad()
def test_maps_and_states_equal_theirs(make, convert):
    theirs = make(True) if make is llama else make()
    expected = theirs(TOKENS, output_attentions=True, output_hidden_states=True)
    ours = convert(theirs, fused_attention)
    for got, wanted in zip(attention_maps(ours, TOKENS), expected.attentions, strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-5, rtol=0)
    states = hidden_states(ours, TOKENS)
    states[-1] = ours.final_norm(states[-1])  # Transformers normalises its last one
    for got, wanted in zip(states, expected.hidden_states, strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)
