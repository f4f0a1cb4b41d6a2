"""GPT-2 as Hugging Face stores it: three projections in one matrix, and every matrix transposed.

GPT-2's ``Conv1D`` computes ``x @ w``, so its matrices are ``in out`` where ``nn.Linear`` has
``out in``; ``c_attn`` holds query, key and value side by side.
"""

from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from llm_course.model.config import DecoderConfig, FeedForwardKind
from llm_course.model.config_parts import Wiring
from llm_course.pretrained.fused_projection import FUSED, cut_fused, join_fused
from llm_course.pretrained.layout import Layout, Settings, require, setting, unsupported
from llm_course.pretrained.names import expand, invert, renamed

_NAMES = {
    "wte": "embedding",
    "wpe": "position_embedding",
    "h.{i}.ln_1": "blocks.{i}.attention_norm",
    "h.{i}.attn.c_attn": f"blocks.{{i}}.attention.{FUSED}",
    "h.{i}.attn.c_proj": "blocks.{i}.attention.output",
    "h.{i}.ln_2": "blocks.{i}.feed_forward_norm",
    "h.{i}.mlp.c_fc": "blocks.{i}.feed_forward.up",
    "h.{i}.mlp.c_proj": "blocks.{i}.feed_forward.down",
    "ln_f": "final_norm",
    "lm_head": "output",
}
_ACTIVATIONS: dict[str, FeedForwardKind] = {
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu": "gelu",
}


def _fits(config: DecoderConfig) -> bool:
    parts = (config.norm, config.position, config.bias, config.wiring)
    return (
        parts == ("layer_norm", "learned", True, Wiring())
        and config.feed_forward in _ACTIVATIONS.values()
        and config.n_kv_heads == config.n_heads
    )


def _read_config(settings: Settings, source: str) -> DecoderConfig:
    require(
        settings,
        source,
        scale_attn_weights=True,
        scale_attn_by_inverse_layer_idx=False,
        add_cross_attention=False,
    )
    activation = settings.get("activation_function", "gelu_new")
    if activation not in _ACTIVATIONS:
        raise unsupported(source, "activation_function", " or ".join(_ACTIVATIONS), activation)
    d_model = setting(settings, "n_embd", source)
    return DecoderConfig(
        vocab_size=setting(settings, "vocab_size", source),
        context_length=settings.get("n_positions", 1024),
        d_model=d_model,
        n_layers=setting(settings, "n_layer", source),
        n_heads=setting(settings, "n_head", source),
        d_ff=settings.get("n_inner") or 4 * d_model,
        norm="layer_norm",
        norm_eps=settings.get("layer_norm_epsilon", 1e-5),
        feed_forward=_ACTIVATIONS[activation],
        position="learned",
        bias=True,
        tie_embeddings=settings.get("tie_word_embeddings", True),
    )


def _write_config(config: DecoderConfig) -> dict[str, Any]:
    return {
        "model_type": "gpt2",
        "vocab_size": config.vocab_size,
        "n_positions": config.context_length,
        "n_embd": config.d_model,
        "n_layer": config.n_layers,
        "n_head": config.n_heads,
        "n_inner": config.d_ff,
        "layer_norm_epsilon": config.norm_eps,
        "activation_function": {"gelu_tanh": "gelu_new", "gelu": "gelu"}[config.feed_forward],
        "tie_word_embeddings": config.tie_embeddings,
        # GPT-2's own ids would lie outside another vocabulary.
        "bos_token_id": None,
        "eos_token_id": None,
    }


def _to_course(
    tensors: Mapping[str, Tensor], config: DecoderConfig, source: str
) -> dict[str, Tensor]:
    names = expand(_NAMES, config.n_layers)
    weights = {}
    for full_name, tensor in tensors.items():
        # The first files (OpenAI's) lack the prefix; they hold the causal masks as tensors.
        name = full_name.removeprefix("transformer.")
        if name.endswith((".attn.bias", ".attn.masked_bias")):
            continue
        ours = renamed(name, names, source)
        weights[ours] = _transposed(ours, tensor)
    return cut_fused(weights, lambda fused: fused.chunk(3))


def _to_huggingface(weights: Mapping[str, Tensor], config: DecoderConfig) -> dict[str, Tensor]:
    names = invert(expand(_NAMES, config.n_layers))
    tensors = {}
    for name, weight in join_fused(weights, torch.cat).items():
        theirs = renamed(name, names, "Decoder")
        prefix = "" if theirs.startswith("lm_head.") else "transformer."
        tensors[prefix + theirs] = _transposed(name, weight)
    return tensors


def _transposed(name: str, tensor: Tensor) -> Tensor:
    """The other storage order, for the matrices inside the blocks; anything else unchanged."""
    if name.startswith("blocks.") and tensor.dim() == 2:
        return rearrange(tensor, "a b -> b a").contiguous()
    return tensor


GPT2 = Layout("GPT2LMHeadModel", _fits, _read_config, _write_config, _to_course, _to_huggingface)
"""GPT-2 of every size."""
