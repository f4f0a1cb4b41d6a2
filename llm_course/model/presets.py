"""Published architectures as configs: the same few parts, put together in eight ways.

A preset says how large a model is and what it is made of; it holds no weights. On the meta device
(``with torch.device("meta")``) every one can be built and counted on a laptop. A smaller or a
changed one is ``dataclasses.replace(preset, n_layers=2)``.
"""

from dataclasses import replace

from llm_course.model.config import DecoderConfig, EncoderDecoderConfig
from llm_course.model.config_parts import PositionOptions, Wiring


def vanilla_base(vocab_size: int = 37_000) -> EncoderDecoderConfig:
    """The first Transformer, its base model: 6 + 6 layers, 63 million weights.

    The paper says 65 million, of "about 37,000" tokens that source and target share.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, table 3 and section 3.4.

    >>> vanilla_base().decoder.feed_forward
    'relu'
    """
    stack = DecoderConfig(
        vocab_size=vocab_size, context_length=512, d_model=512, n_layers=6, n_heads=8, d_ff=2048,
        norm="layer_norm", feed_forward="relu", position="sinusoidal", bias=True,
        wiring=Wiring(placement="post", embedding_scale=512**0.5),
    )  # fmt: skip
    return EncoderDecoderConfig(encoder=stack, decoder=stack)


def gpt2_small() -> DecoderConfig:
    """GPT-2 small: 12 layers, 124 million weights.

    Source:
        Radford et al. 2019, *Language Models are Unsupervised Multitask Learners*, table 2.

    >>> gpt2_small().position
    'learned'
    """
    return DecoderConfig(
        vocab_size=50_257, context_length=1024, d_model=768, n_layers=12, n_heads=12, d_ff=3072,
        norm="layer_norm", feed_forward="gelu_tanh", position="learned", bias=True,
    )  # fmt: skip


def t5_small() -> EncoderDecoderConfig:
    """T5 small: 6 + 6 layers, 61 million weights, relative positions, scores left undivided.

    Source:
        Raffel et al. 2020, arXiv:1910.10683, sections 2.1 and 3.7.

    >>> t5_small().encoder.wiring.scale_scores
    False
    """
    stack = DecoderConfig(
        vocab_size=32_128, context_length=512, d_model=512, n_layers=6, n_heads=8, d_ff=2048,
        norm_eps=1e-6, feed_forward="relu", position="t5",
        position_options=PositionOptions(n_buckets=32, max_distance=128),
        wiring=Wiring(scale_scores=False, output_scale=512**-0.5),
    )  # fmt: skip
    return EncoderDecoderConfig(encoder=stack, decoder=stack)


def t5_base() -> EncoderDecoderConfig:
    """T5 base: 12 + 12 layers, 223 million weights.

    Source:
        Raffel et al. 2020, arXiv:1910.10683, section 3.1.1.

    >>> t5_base().encoder.d_head
    64
    """
    stack = replace(
        t5_small().encoder, d_model=768, n_layers=12, n_heads=12, n_kv_heads=12, d_ff=3072,
        wiring=Wiring(scale_scores=False, output_scale=768**-0.5),
    )  # fmt: skip
    return EncoderDecoderConfig(encoder=stack, decoder=stack)


def bart_base() -> EncoderDecoderConfig:
    """BART base: 6 + 6 layers, 139 million weights, norms after the sub-layers.

    Source:
        Lewis et al. 2020, arXiv:1910.13461, section 2.1.

    >>> bart_base().encoder.wiring.embedding_norm
    True
    """
    stack = DecoderConfig(
        vocab_size=50_265, context_length=1024, d_model=768, n_layers=6, n_heads=12, d_ff=3072,
        norm="layer_norm", feed_forward="gelu", position="learned", bias=True,
        wiring=Wiring(placement="post", embedding_norm=True),
    )  # fmt: skip
    return EncoderDecoderConfig(encoder=stack, decoder=stack)


def palm_8b() -> DecoderConfig:
    """The smallest PaLM: 32 layers, 8.6 billion weights, parallel blocks, one key-value head.

    PaLM-like, not PaLM: its LayerNorm has no bias, ours keeps one (135,168 weights more).

    Source:
        Chowdhery et al. 2022, arXiv:2204.02311, section 2 and table 1.

    >>> palm_8b().n_kv_heads, palm_8b().d_head
    (1, 256)
    """
    return DecoderConfig(
        vocab_size=256_000, context_length=2048, d_model=4096, n_layers=32, n_heads=16,
        n_kv_heads=1, d_ff=16_384, norm="layer_norm", feed_forward="swiglu", position="rope",
        wiring=Wiring(placement="parallel", output_scale=4096**-0.5),
    )  # fmt: skip


def bloom_176b() -> DecoderConfig:
    """BLOOM: 70 layers, 176 billion weights, ALiBi over 112 heads, normalised embeddings.

    Source:
        BigScience 2022, arXiv:2211.05100, section 3.2.3 and table 3.

    >>> bloom_176b().position
    'alibi'
    """
    return DecoderConfig(
        vocab_size=250_880, context_length=2048, d_model=14_336, n_layers=70, n_heads=112,
        d_ff=57_344, norm="layer_norm", feed_forward="gelu_tanh", position="alibi", bias=True,
        wiring=Wiring(embedding_norm=True),
    )  # fmt: skip


def llama2_7b() -> DecoderConfig:
    """LLaMA 2 with 7 billion weights: 32 layers, RMSNorm, SwiGLU, RoPE, a key-value head a head.

    Source:
        Touvron et al. 2023, arXiv:2307.09288, section 2.2.

    >>> llama2_7b().n_kv_heads
    32
    """
    return DecoderConfig(
        vocab_size=32_000, context_length=4096, d_model=4096, n_layers=32, n_heads=32,
        d_ff=11_008, norm_eps=1e-5, tie_embeddings=False,
    )  # fmt: skip


def mistral_7b() -> DecoderConfig:
    """Mistral 7B: LLaMA's parts with 8 key-value heads and a window of 4,096 tokens.

    Source:
        Jiang et al. 2023, arXiv:2310.06825, table 1.

    >>> mistral_7b().wiring.window
    4096
    """
    return DecoderConfig(
        vocab_size=32_000, context_length=32_768, d_model=4096, n_layers=32, n_heads=32,
        n_kv_heads=8, d_ff=14_336, norm_eps=1e-5, tie_embeddings=False,
        wiring=Wiring(window=4096),
    )  # fmt: skip
