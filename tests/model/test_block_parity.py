"""The placements against published models that have them, weights mapped by hand.

Gemma 2 has norms on both sides of each sub-layer, Falcon the parallel block. PyTorch's layers have
post-norm; the whole of ``nn.Transformer`` is in test_encoder_decoder_parity.
"""

import pytest
import torch
from torch import nn
from transformers import FalconConfig, FalconForCausalLM, Gemma2Config, Gemma2ForCausalLM

from llm_course.model.block import Block
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.decoder import Decoder

TOKENS = torch.randint(60, (2, 12), generator=torch.Generator().manual_seed(0))


def enliven(model: nn.Module) -> nn.Module:
    """Draw every weight, norms and biases too: at their initial 1 and 0 they could be ignored."""
    generator = torch.Generator().manual_seed(1)
    for weight in model.parameters():
        nn.init.normal_(weight, mean=float(weight.dim() == 1), std=0.2, generator=generator)
    return model.eval()


@torch.no_grad()
def test_sandwich_norm_equals_gemma_2():
    theirs = enliven(
        Gemma2ForCausalLM(
            Gemma2Config(
                vocab_size=60, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
                num_attention_heads=4, num_key_value_heads=2, head_dim=8, query_pre_attn_scalar=8,
                max_position_embeddings=32, attn_logit_softcapping=None,
                final_logit_softcapping=None, sliding_window=32, attn_implementation="eager",
            )
        )
    )  # fmt: skip
    names = {
        "attention_norm": "input_layernorm", "attention_norm_after": "post_attention_layernorm",
        "feed_forward_norm": "pre_feedforward_layernorm",
        "feed_forward_norm_after": "post_feedforward_layernorm",
        "attention.query": "self_attn.q_proj", "attention.key": "self_attn.k_proj",
        "attention.value": "self_attn.v_proj", "attention.output": "self_attn.o_proj",
        "feed_forward.gate": "mlp.gate_proj", "feed_forward.up": "mlp.up_proj",
        "feed_forward.down": "mlp.down_proj",
    }  # fmt: skip
    source = theirs.model.state_dict()
    state = {
        f"blocks.{i}.{ours}.weight": source[f"layers.{i}.{name}.weight"] + float("norm" in ours)
        for i in range(3)
        for ours, name in names.items()
    }  # Gemma keeps its norms' weights as what is added to 1.
    state["embedding.weight"] = source["embed_tokens.weight"]
    state["final_norm.weight"] = source["norm.weight"] + 1
    ours = Decoder(
        DecoderConfig(
            vocab_size=60, context_length=32, d_model=32, n_layers=3, n_heads=4, n_kv_heads=2,
            d_ff=48, norm_eps=1e-6, feed_forward="geglu_tanh",
            wiring=Wiring(placement="sandwich", embedding_scale=32**0.5),
        )
    )  # fmt: skip
    ours.load_state_dict(state)
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_parallel_block_equals_falcon():
    theirs = enliven(
        FalconForCausalLM(
            FalconConfig(
                vocab_size=60, hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
                multi_query=True, parallel_attn=True, bias=False, alibi=False,
                new_decoder_architecture=False, attn_implementation="eager",
            )
        )
    )  # fmt: skip
    source = theirs.transformer.state_dict()
    state = {"embedding.weight": source["word_embeddings.weight"]}
    for kind in ("weight", "bias"):
        state[f"final_norm.{kind}"] = source[f"ln_f.{kind}"]
    for i in range(3):
        for kind in ("weight", "bias"):
            state[f"blocks.{i}.attention_norm.{kind}"] = source[f"h.{i}.input_layernorm.{kind}"]
        fused = source[f"h.{i}.self_attention.query_key_value.weight"].split([32, 8, 8])
        for part, piece in zip(("query", "key", "value"), fused, strict=True):
            state[f"blocks.{i}.attention.{part}.weight"] = piece
        for ours, name in (
            ("attention.output", "self_attention.dense"),
            ("feed_forward.up", "mlp.dense_h_to_4h"),
            ("feed_forward.down", "mlp.dense_4h_to_h"),
        ):
            state[f"blocks.{i}.{ours}.weight"] = source[f"h.{i}.{name}.weight"]
    ours = Decoder(
        DecoderConfig(
            vocab_size=60, context_length=32, d_model=32, n_layers=3, n_heads=4, n_kv_heads=1,
            d_ff=128, norm="layer_norm", feed_forward="gelu", wiring=Wiring(placement="parallel"),
        )
    )  # fmt: skip
    ours.load_state_dict(state)
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("norm_first", [False, True])
def test_encoder_layer_of_torch_in_both_placements(norm_first):
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(
        8, 2, 12, dropout=0.0, activation="relu", batch_first=True, norm_first=norm_first
    ).double()
    enliven(theirs)
    config = DecoderConfig(
        vocab_size=9, context_length=8, d_model=8, n_layers=1, n_heads=2, d_ff=12, bias=True,
        norm="layer_norm", feed_forward="relu",
        wiring=Wiring(placement="pre" if norm_first else "post"),
    )  # fmt: skip
    source = theirs.state_dict()
    names = {
        "attention.output": "self_attn.out_proj", "attention_norm": "norm1",
        "feed_forward_norm": "norm2", "feed_forward.up": "linear1", "feed_forward.down": "linear2",
    }  # fmt: skip
    state = {}
    for kind in ("weight", "bias"):
        state |= {f"{ours}.{kind}": source[f"{name}.{kind}"] for ours, name in names.items()}
        thirds = source[f"self_attn.in_proj_{kind}"].chunk(3)
        for name, third in zip(("query", "key", "value"), thirds, strict=True):
            state[f"attention.{name}.{kind}"] = third
    ours = Block(config).double()
    ours.load_state_dict(state)
    x = torch.randn(2, 5, 8).double()
    torch.testing.assert_close(ours(x), theirs.train()(x), atol=1e-11, rtol=0)
