"""BLOOM as Hugging Face stores it: query, key and value in one matrix, head by head.

The rows of ``query_key_value`` are head 0's query, key and value, then head 1's, and so on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from einops import rearrange
from torch import Tensor

from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.pretrained.fused_projection import FUSED, cut_fused, join_fused
from llm_course.pretrained.layout import Layout, Settings, require, setting
from llm_course.pretrained.names import expand, invert, renamed

_NAMES = {
    "word_embeddings": "embedding",
    "word_embeddings_layernorm": "embedding_norm",
    "h.{i}.input_layernorm": "blocks.{i}.attention_norm",
    "h.{i}.self_attention.query_key_value": f"blocks.{{i}}.attention.{FUSED}",
    "h.{i}.self_attention.dense": "blocks.{i}.attention.output",
    "h.{i}.post_attention_layernorm": "blocks.{i}.feed_forward_norm",
    "h.{i}.mlp.dense_h_to_4h": "blocks.{i}.feed_forward.up",
    "h.{i}.mlp.dense_4h_to_h": "blocks.{i}.feed_forward.down",
    "ln_f": "final_norm",
    "lm_head": "output",
}
_WIRING = Wiring(embedding_norm=True)


def _fits(config: DecoderConfig) -> bool:
    parts = (config.norm, config.feed_forward, config.position, config.bias, config.wiring)
    return (
        parts == ("layer_norm", "gelu_tanh", "alibi", True, _WIRING)
        and config.n_kv_heads == config.n_heads
        and config.d_ff == 4 * config.d_model
    )


def _read_config(settings: Settings, source: str) -> DecoderConfig:
    require(settings, source, apply_residual_connection_post_layernorm=False)
    # The first files say n_embed, num_attention_heads and num_hidden_layers.
    d_model = settings.get("hidden_size") or setting(settings, "n_embed", source)
    return DecoderConfig(
        vocab_size=setting(settings, "vocab_size", source),
        context_length=settings.get("seq_length", 2048),
        d_model=d_model,
        n_layers=settings.get("num_hidden_layers") or setting(settings, "n_layer", source),
        n_heads=settings.get("num_attention_heads") or setting(settings, "n_head", source),
        d_ff=4 * d_model,
        norm="layer_norm",
        norm_eps=settings.get("layer_norm_epsilon", 1e-5),
        feed_forward="gelu_tanh",
        position="alibi",
        bias=True,
        tie_embeddings=settings.get("tie_word_embeddings", True),
        wiring=_WIRING,
    )


def _write_config(config: DecoderConfig) -> dict[str, Any]:
    return {
        "model_type": "bloom",
        "vocab_size": config.vocab_size,
        "seq_length": config.context_length,
        "hidden_size": config.d_model,
        "n_layer": config.n_layers,
        "n_head": config.n_heads,
        "layer_norm_epsilon": config.norm_eps,
        "apply_residual_connection_post_layernorm": False,
        "tie_word_embeddings": config.tie_embeddings,
    }


def _to_course(
    tensors: Mapping[str, Tensor], config: DecoderConfig, source: str
) -> dict[str, Tensor]:
    names = expand(_NAMES, config.n_layers)
    # The published files lack the prefix.
    weights = {
        renamed(name.removeprefix("transformer."), names, source): tensor
        for name, tensor in tensors.items()
    }

    def cut(fused: Tensor) -> Tensor:
        pattern = "(h three d) ... -> three (h d) ..."
        return rearrange(fused, pattern, h=config.n_heads, three=3)

    return cut_fused(weights, cut)


def _to_huggingface(weights: Mapping[str, Tensor], config: DecoderConfig) -> dict[str, Tensor]:
    names = invert(expand(_NAMES, config.n_layers))

    def join(three: Sequence[Tensor]) -> Tensor:
        pattern = "three (h d) ... -> (h three d) ..."
        return rearrange(list(three), pattern, h=config.n_heads)

    theirs = {
        renamed(name, names, "Decoder"): weight
        for name, weight in join_fused(weights, join).items()
    }
    return {
        name if name.startswith("lm_head.") else f"transformer.{name}": weight
        for name, weight in theirs.items()
    }


BLOOM = Layout("BloomForCausalLM", _fits, _read_config, _write_config, _to_course, _to_huggingface)
"""BLOOM of every size."""
