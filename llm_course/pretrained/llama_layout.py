"""Llama as Hugging Face stores it: the course's names and shapes under other names.

``nn.Linear`` on both sides, and the same RoPE pairing (``half_split``). Only a decoder of the
other pairing needs its queries and keys reordered on the way out.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import PositionOptions, Wiring
from llm_course.model.positions import interleaved_to_half_split
from llm_course.pretrained.layout import Layout, Settings, require, setting, unsupported
from llm_course.pretrained.names import expand, invert, renamed

_NAMES = {
    "model.embed_tokens": "embedding",
    "model.layers.{i}.input_layernorm": "blocks.{i}.attention_norm",
    "model.layers.{i}.self_attn.q_proj": "blocks.{i}.attention.query",
    "model.layers.{i}.self_attn.k_proj": "blocks.{i}.attention.key",
    "model.layers.{i}.self_attn.v_proj": "blocks.{i}.attention.value",
    "model.layers.{i}.self_attn.o_proj": "blocks.{i}.attention.output",
    "model.layers.{i}.post_attention_layernorm": "blocks.{i}.feed_forward_norm",
    "model.layers.{i}.mlp.gate_proj": "blocks.{i}.feed_forward.gate",
    "model.layers.{i}.mlp.up_proj": "blocks.{i}.feed_forward.up",
    "model.layers.{i}.mlp.down_proj": "blocks.{i}.feed_forward.down",
    "model.norm": "final_norm",
    "lm_head": "output",
}


def _fits(config: DecoderConfig) -> bool:
    parts = (config.norm, config.feed_forward, config.position, config.wiring)
    return parts == ("rms_norm", "swiglu", "rope", Wiring()) and not is_stretched(config)


def is_stretched(config: DecoderConfig) -> bool:
    """Whether its rotary frequencies are others than those of its base."""
    options = config.position_options
    return bool(options.rope_frequencies) or options.rope_magnitude != 1.0


def _read_config(settings: Settings, source: str) -> DecoderConfig:
    bias = settings.get("attention_bias", False)
    require(settings, source, hidden_act="silu")
    # One switch for all linear layers; a bias on some of them only is another architecture.
    if settings.get("mlp_bias", False) != bias:
        raise unsupported(source, "mlp_bias", f"{bias} as attention_bias", str(not bias))
    n_heads = setting(settings, "num_attention_heads", source)
    config = DecoderConfig(
        vocab_size=setting(settings, "vocab_size", source),
        context_length=settings.get("max_position_embeddings", 2048),
        d_model=setting(settings, "hidden_size", source),
        n_layers=setting(settings, "num_hidden_layers", source),
        n_heads=n_heads,
        n_kv_heads=settings.get("num_key_value_heads") or n_heads,
        d_ff=setting(settings, "intermediate_size", source),
        norm_eps=settings.get("rms_norm_eps", 1e-6),
        position_options=PositionOptions(rope_base=_rope_base(settings, source)),
        bias=bias,
        tie_embeddings=settings.get("tie_word_embeddings", False),
    )
    d_head = settings.get("head_dim") or config.d_head
    if d_head != config.d_head:
        expected = f"hidden_size / num_attention_heads = {config.d_head}"
        raise unsupported(source, "head_dim", expected, str(d_head))
    return config


def _rope_base(settings: Settings, source: str) -> float:
    """The base of RoPE, which Transformers 5 writes in ``rope_parameters`` and 4 at the top."""
    rope = settings.get("rope_parameters") or settings.get("rope_scaling") or {}
    require(
        {"rope_type": rope.get("rope_type", rope.get("type", "default"))},
        source,
        rope_type="default",
    )
    require(rope, source, partial_rotary_factor=1.0)
    require(settings, source, partial_rotary_factor=1.0)
    return float(rope.get("rope_theta", settings.get("rope_theta", 10_000.0)))


def _write_config(config: DecoderConfig) -> dict[str, Any]:
    rope_base = config.position_options.rope_base
    return {
        "model_type": "llama",
        "vocab_size": config.vocab_size,
        "max_position_embeddings": config.context_length,
        "hidden_size": config.d_model,
        "num_hidden_layers": config.n_layers,
        "num_attention_heads": config.n_heads,
        "num_key_value_heads": config.n_kv_heads,
        "head_dim": config.d_head,
        "intermediate_size": config.d_ff,
        "hidden_act": "silu",
        "rms_norm_eps": config.norm_eps,
        # Both places: the first is read by Transformers 5, the second by 4.
        "rope_parameters": {"rope_theta": rope_base, "rope_type": "default"},
        "rope_theta": rope_base,
        "attention_bias": config.bias,
        "mlp_bias": config.bias,
        "tie_word_embeddings": config.tie_embeddings,
    }


def _to_course(
    tensors: Mapping[str, Tensor], config: DecoderConfig, source: str
) -> dict[str, Tensor]:
    names = expand(_NAMES, config.n_layers)
    return {
        renamed(name, names, source): tensor
        for name, tensor in tensors.items()
        if not name.endswith(".rotary_emb.inv_freq")  # Computed here; old files still have it.
    }


def _to_huggingface(weights: Mapping[str, Tensor], config: DecoderConfig) -> dict[str, Tensor]:
    names = invert(expand(_NAMES, config.n_layers))
    heads = {".attention.query.": config.n_heads, ".attention.key.": config.n_kv_heads}
    tensors = {}
    for name, weight in weights.items():
        if config.position_options.rope_pairing == "interleaved":
            for part, n_heads in heads.items():
                if part in name:
                    weight = interleaved_to_half_split(weight, n_heads)
        tensors[renamed(name, names, "Decoder")] = weight
    return tensors


LLAMA = Layout("LlamaForCausalLM", _fits, _read_config, _write_config, _to_course, _to_huggingface)
"""Llama, and the models that took its architecture over unchanged, such as SmolLM2."""
