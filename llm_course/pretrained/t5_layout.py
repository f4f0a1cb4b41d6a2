"""T5 as Hugging Face stores it: both stacks by number of sub-layer, one table of distances each.

The table of relative positions lies in the first block, and serves all. T5 1.1 differs in its
feed-forward layer, and in not dividing the stream before the output matrix.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from llm_course.model.config import DecoderConfig, EncoderDecoderConfig, FeedForwardKind
from llm_course.model.config_parts import PositionOptions, Wiring
from llm_course.model.encoder_decoder import EncoderDecoder
from llm_course.pretrained.layout import Layout, Settings, setting, unsupported
from llm_course.pretrained.names import expand, invert, renamed

_ACTIVATIONS: dict[str, FeedForwardKind] = {
    "relu": "relu",
    "gelu": "gelu",
    "gated-gelu": "geglu_tanh",
    "gated-silu": "swiglu",
}
_COPIES = (
    "encoder.embed_tokens.weight",
    "decoder.embed_tokens.weight",
    # In the first published files; nothing reads it.
    "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
)


def _stack_names(side: str, sub_layers: tuple[str, ...]) -> dict[str, str]:
    """The table of one stack: its sub-layers are numbered, ours have names."""
    names = {
        f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias": f"{side}.relative_bias",
        f"{side}.final_layer_norm": f"{side}.final_norm",
    }
    parts = {"q": "query", "k": "key", "v": "value", "o": "output"}
    for number, ours in enumerate(sub_layers):
        layer, block = f"{side}.block.{{i}}.layer.{number}", f"{side}.blocks.{{i}}.{ours}"
        names[f"{layer}.layer_norm"] = f"{block}_norm"
        theirs = "EncDecAttention" if ours == "cross_attention" else "SelfAttention"
        if ours == "feed_forward":
            inner = {"wi": "up", "wi_0": "gate", "wi_1": "up", "wo": "down"}
            theirs = "DenseReluDense"
        else:
            inner = parts
        names |= {f"{layer}.{theirs}.{x}": f"{block}.{part}" for x, part in inner.items()}
    return names


def _names(config: EncoderDecoderConfig) -> dict[str, str]:
    """Transformers' name of each layer, and ours."""
    encoder = _stack_names("encoder", ("attention", "feed_forward"))
    decoder = _stack_names("decoder", ("attention", "cross_attention", "feed_forward"))
    names = {
        "shared": "encoder.embedding",
        "lm_head": "decoder.output",
        **expand(encoder, config.encoder.n_layers),
        **expand(decoder, config.decoder.n_layers),
    }
    # A gated layer has wi_0 and wi_1 where the plain one has wi; both stand for our "up".
    gated = config.encoder.feed_forward not in ("relu", "gelu")
    unused = (".wi",) if gated else (".wi_0", ".wi_1")
    return {theirs: ours for theirs, ours in names.items() if not theirs.endswith(unused)}


def _fits(config: EncoderDecoderConfig) -> bool:
    one, other = config.encoder, config.decoder
    wirings = [Wiring(scale_scores=False, output_scale=x) for x in (1.0, one.d_model**-0.5)]
    return (
        config.share_embeddings
        and replace(one, n_layers=other.n_layers) == other
        and (one.norm, one.position, one.bias) == ("rms_norm", "t5", False)
        and one.feed_forward in _ACTIVATIONS.values()
        and one.n_kv_heads == one.n_heads
        and one.tie_embeddings
        and one.wiring in wirings
    )


def _read_config(settings: Settings, source: str) -> EncoderDecoderConfig:
    activation = settings.get("feed_forward_proj", "relu")
    if activation not in _ACTIVATIONS:
        raise unsupported(source, "feed_forward_proj", " or ".join(_ACTIVATIONS), activation)
    d_model = setting(settings, "d_model", source)
    tied = settings.get("tie_word_embeddings", True)
    scaled = settings.get("scale_decoder_outputs", tied)
    encoder = DecoderConfig(
        vocab_size=setting(settings, "vocab_size", source),
        context_length=settings.get("n_positions", 512),
        d_model=d_model,
        n_layers=setting(settings, "num_layers", source),
        n_heads=setting(settings, "num_heads", source),
        d_ff=setting(settings, "d_ff", source),
        norm_eps=settings.get("layer_norm_epsilon", 1e-6),
        feed_forward=_ACTIVATIONS[activation],
        position="t5",
        position_options=PositionOptions(
            n_buckets=settings.get("relative_attention_num_buckets", 32),
            max_distance=settings.get("relative_attention_max_distance", 128),
        ),
        tie_embeddings=tied,
        wiring=Wiring(scale_scores=False, output_scale=d_model**-0.5 if scaled else 1.0),
    )
    d_head = settings.get("d_kv", 64)
    if d_head != encoder.d_head:
        raise unsupported(source, "d_kv", f"d_model / num_heads = {encoder.d_head}", str(d_head))
    n_layers = settings.get("num_decoder_layers") or encoder.n_layers
    return EncoderDecoderConfig(encoder=encoder, decoder=replace(encoder, n_layers=n_layers))


def _write_config(config: EncoderDecoderConfig) -> dict[str, Any]:
    stack = config.encoder
    proj = {ours: theirs for theirs, ours in _ACTIVATIONS.items()}[stack.feed_forward]
    return {
        "model_type": "t5",
        "is_encoder_decoder": True,
        "vocab_size": stack.vocab_size,
        "n_positions": stack.context_length,
        "d_model": stack.d_model,
        "d_kv": stack.d_head,
        "d_ff": stack.d_ff,
        "num_layers": stack.n_layers,
        "num_decoder_layers": config.decoder.n_layers,
        "num_heads": stack.n_heads,
        "relative_attention_num_buckets": stack.position_options.n_buckets,
        "relative_attention_max_distance": stack.position_options.max_distance,
        "layer_norm_epsilon": stack.norm_eps,
        "feed_forward_proj": proj,
        "tie_word_embeddings": True,
        "scale_decoder_outputs": stack.wiring.output_scale != 1.0,
        "decoder_start_token_id": 0,
    }


def _to_course(
    tensors: Mapping[str, Tensor], config: EncoderDecoderConfig, source: str
) -> dict[str, Tensor]:
    names = _names(config)
    weights = {
        renamed(name, names, source): tensor
        for name, tensor in tensors.items()
        if name not in _COPIES
    }
    if "encoder.embedding.weight" in weights:
        weights["decoder.embedding.weight"] = weights["encoder.embedding.weight"]
    return weights


def _to_huggingface(
    weights: Mapping[str, Tensor], config: EncoderDecoderConfig
) -> dict[str, Tensor]:
    names = invert(_names(config))
    return {
        renamed(name, names, "EncoderDecoder"): weight
        for name, weight in weights.items()
        if name != "decoder.embedding.weight"
    }


T5 = Layout(
    "T5ForConditionalGeneration",
    _fits,
    _read_config,
    _write_config,
    _to_course,
    _to_huggingface,
    EncoderDecoder,
)
"""T5 and T5 1.1 of every size whose heads share the features evenly."""
