"""Published models by their sizes, for counting: configs, no weights.

GPT-2 small is among the presets of ``model``.
"""

from llm_course.model.config import DecoderConfig


def gpt3_175b() -> DecoderConfig:
    """GPT-3: 96 layers; every second one is sparse, which changes no count.

    Source:
        Brown et al. 2020, arXiv:2005.14165, table 2.1.

    >>> gpt3_175b().d_head
    128
    """
    return DecoderConfig(
        vocab_size=50_257, context_length=2048, d_model=12_288, n_layers=96, n_heads=96,
        d_ff=49_152, norm="layer_norm", feed_forward="gelu", position="learned", bias=True,
    )  # fmt: skip


LLAMA = {"7B": (32, 4096, 32, 11_008), "13B": (40, 5120, 40, 13_824),
         "33B": (60, 6656, 52, 17_920), "65B": (80, 8192, 64, 22_016)}  # fmt: skip
"""Layers, width, heads and feed-forward width; the last is 8/3 of the width, rounded up to 256s."""


def llama(size: str) -> DecoderConfig:
    """LLaMA, the first: 7B, 13B, 33B or 65B.

    Raises:
        ValueError: there is none of this size.

    Source:
        Touvron et al. 2023, arXiv:2302.13971, table 2.

    >>> llama("65B").n_layers
    80
    """
    if size not in LLAMA:
        raise ValueError(f"size: expected one of {', '.join(LLAMA)}, got {size!r}.")
    layers, width, heads, d_ff = LLAMA[size]
    return DecoderConfig(
        vocab_size=32_000, context_length=2048, d_model=width, n_layers=layers, n_heads=heads,
        d_ff=d_ff, tie_embeddings=False,
    )  # fmt: skip
