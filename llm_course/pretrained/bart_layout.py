"""BART as Hugging Face stores it: norms after the sub-layers, two rows of positions never read.

Its positions are looked up two rows further down than they are counted (a leftover of the padding
symbol of its first code), so the first two rows of each table are dropped here, and put back as
zeros on the way out.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from llm_course.model.config import DecoderConfig, EncoderDecoderConfig, FeedForwardKind
from llm_course.model.config_parts import Wiring
from llm_course.model.encoder_decoder import EncoderDecoder
from llm_course.pretrained.layout import Layout, Settings, setting, unsupported
from llm_course.pretrained.names import expand, invert, renamed

_SIDE = {
    "model.{side}.embed_positions": "{side}.position_embedding",
    "model.{side}.layernorm_embedding": "{side}.embedding_norm",
    "model.{side}.layers.{i}.self_attn.q_proj": "{side}.blocks.{i}.attention.query",
    "model.{side}.layers.{i}.self_attn.k_proj": "{side}.blocks.{i}.attention.key",
    "model.{side}.layers.{i}.self_attn.v_proj": "{side}.blocks.{i}.attention.value",
    "model.{side}.layers.{i}.self_attn.out_proj": "{side}.blocks.{i}.attention.output",
    "model.{side}.layers.{i}.self_attn_layer_norm": "{side}.blocks.{i}.attention_norm",
    "model.{side}.layers.{i}.fc1": "{side}.blocks.{i}.feed_forward.up",
    "model.{side}.layers.{i}.fc2": "{side}.blocks.{i}.feed_forward.down",
    "model.{side}.layers.{i}.final_layer_norm": "{side}.blocks.{i}.feed_forward_norm",
}
# The decoder's second attention: the same names under another heading.
_CROSS = {
    theirs.replace("self_attn", "encoder_attn"): ours.replace("attention", "cross_attention")
    for theirs, ours in _SIDE.items()
    if "self_attn" in theirs
}
_ACTIVATIONS: dict[str, FeedForwardKind] = {
    "gelu": "gelu",
    "relu": "relu",
    "gelu_new": "gelu_tanh",
    "silu": "swish",
}
_COPIES = ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight")
_UNREAD_ROWS = 2


def _names(config: EncoderDecoderConfig) -> dict[str, str]:
    """Transformers' name of each layer, and ours."""
    names = {"model.shared": "encoder.embedding", "lm_head": "decoder.output"}
    tables = {"encoder": _SIDE, "decoder": _SIDE | _CROSS}
    for side, table in tables.items():
        one = {k.replace("{side}", side): v.replace("{side}", side) for k, v in table.items()}
        names |= expand(one, getattr(config, side).n_layers)
    return names


def _fits(config: EncoderDecoderConfig) -> bool:
    one, other = config.encoder, config.decoder
    same = ("vocab_size", "context_length", "feed_forward", "wiring", "tie_embeddings")
    return (
        config.share_embeddings
        and one.tie_embeddings
        and all(getattr(one, field) == getattr(other, field) for field in same)
        and one.feed_forward in _ACTIVATIONS.values()
        and one.wiring in [_wiring(one.d_model, scaled) for scaled in (False, True)]
        and all(_fits_stack(stack) for stack in (one, other))
    )


def _fits_stack(stack: DecoderConfig) -> bool:
    parts = (stack.norm, stack.norm_eps, stack.position, stack.bias)
    return parts == ("layer_norm", 1e-5, "learned", True) and stack.n_kv_heads == stack.n_heads


def _wiring(d_model: int, scaled: bool) -> Wiring:
    scale = d_model**0.5 if scaled else 1.0
    return Wiring(placement="post", embedding_norm=True, embedding_scale=scale)


def _read_config(settings: Settings, source: str) -> EncoderDecoderConfig:
    activation = settings.get("activation_function", "gelu")
    if activation not in _ACTIVATIONS:
        raise unsupported(source, "activation_function", " or ".join(_ACTIVATIONS), activation)
    d_model = setting(settings, "d_model", source)

    def stack(side: str) -> DecoderConfig:
        return DecoderConfig(
            vocab_size=setting(settings, "vocab_size", source),
            context_length=settings.get("max_position_embeddings", 1024),
            d_model=d_model,
            n_layers=setting(settings, f"{side}_layers", source),
            n_heads=setting(settings, f"{side}_attention_heads", source),
            d_ff=setting(settings, f"{side}_ffn_dim", source),
            norm="layer_norm",
            feed_forward=_ACTIVATIONS[activation],
            position="learned",
            bias=True,
            tie_embeddings=settings.get("tie_word_embeddings", True),
            wiring=_wiring(d_model, settings.get("scale_embedding", False)),
        )

    return EncoderDecoderConfig(encoder=stack("encoder"), decoder=stack("decoder"))


def _write_config(config: EncoderDecoderConfig) -> dict[str, Any]:
    one = config.encoder
    activation = {ours: theirs for theirs, ours in _ACTIVATIONS.items()}[one.feed_forward]
    settings = {
        "model_type": "bart",
        "is_encoder_decoder": True,
        "vocab_size": one.vocab_size,
        "max_position_embeddings": one.context_length,
        "d_model": one.d_model,
        "activation_function": activation,
        "scale_embedding": one.wiring.embedding_scale != 1.0,
        "tie_word_embeddings": True,
    }
    for side, stack in (("encoder", one), ("decoder", config.decoder)):
        settings[f"{side}_layers"] = stack.n_layers
        settings[f"{side}_attention_heads"] = stack.n_heads
        settings[f"{side}_ffn_dim"] = stack.d_ff
    return settings


def _to_course(
    tensors: Mapping[str, Tensor], config: EncoderDecoderConfig, source: str
) -> dict[str, Tensor]:
    names, weights = _names(config), {}
    for name, tensor in tensors.items():
        if name in _COPIES:
            continue
        if name == "final_logits_bias":
            if tensor.any():
                raise unsupported(source, name, "zeros", "other numbers")
            continue
        ours = renamed(name, names, source)
        unread = _UNREAD_ROWS if "position_embedding" in ours else 0
        weights[ours] = tensor[unread:].clone() if unread else tensor
    if "encoder.embedding.weight" in weights:
        weights["decoder.embedding.weight"] = weights["encoder.embedding.weight"]
    return weights


def _to_huggingface(
    weights: Mapping[str, Tensor], config: EncoderDecoderConfig
) -> dict[str, Tensor]:
    names, tensors = invert(_names(config)), {}
    for name, weight in weights.items():
        if name == "decoder.embedding.weight":
            continue
        if "position_embedding" in name:
            weight = torch.cat([weight.new_zeros(_UNREAD_ROWS, weight.shape[1]), weight])
        tensors[renamed(name, names, "EncoderDecoder")] = weight
    return tensors


BART = Layout(
    "BartForConditionalGeneration",
    _fits,
    _read_config,
    _write_config,
    _to_course,
    _to_huggingface,
    EncoderDecoder,
)
"""BART of every size."""
