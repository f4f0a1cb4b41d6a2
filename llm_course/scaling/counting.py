"""How many weights a decoder has and how much work its training is, from its sizes alone.

Papers count differently. Kaplan's N leaves out embeddings, Chinchilla's counts all weights, and the
name of a model may be neither. Each function says what it counts.
"""

from dataclasses import dataclass

from llm_course.model.config import DecoderConfig

_GATED = {"swiglu", "geglu"}


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The weights of a decoder by where they are.

    Args:
        embedding: of the tokens, and the output matrix if it is another one.
        positions: learned ones.
        attention: projections of queries, keys, values and the output.
        feed_forward: its matrices.
        norms_and_biases: all vectors.
    """

    embedding: int
    positions: int
    attention: int
    feed_forward: int
    norms_and_biases: int

    @property
    def non_embedding(self) -> int:
        """Kaplan's N: what stands in the blocks, without embeddings and positions."""
        return self.attention + self.feed_forward + self.norms_and_biases

    @property
    def total(self) -> int:
        """All weights."""
        return self.non_embedding + self.embedding + self.positions


def count_parts(config: DecoderConfig) -> Parts:
    """The weights of a decoder in closed form, without making it.

    Raises:
        ValueError: its norms or feed-forward layers are of a kind that is not counted here.

    Source:
        Kaplan et al. 2020, arXiv:2001.08361, table 1.

    >>> config = DecoderConfig(
    ...     vocab_size=5, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=3
    ... )
    >>> count_parts(config)  # 5*4, no positions, 4*4*4, 3*4*3, 3*4
    Parts(embedding=20, positions=0, attention=64, feed_forward=36, norms_and_biases=12)
    """
    if config.wiring.placement != "pre":
        raise ValueError(f"placement: expected pre, got {config.wiring.placement}.")
    d, layers = config.d_model, config.n_layers
    d_kv = config.d_head * config.n_kv_heads
    d_attention = config.d_head * config.n_heads
    matrices = 3 if config.feed_forward in _GATED else 2
    vectors = (2 * layers + 1) * d * (2 if config.norm == "layer_norm" else 1)
    if config.bias:  # query, keys and values, output; feed-forward up (and gate), down
        vectors += layers * (d_attention + 2 * d_kv + d + (matrices - 1) * config.d_ff + d)
    return Parts(
        embedding=config.vocab_size * d * (1 if config.tie_embeddings else 2),
        positions=config.context_length * d if config.position == "learned" else 0,
        attention=layers * 2 * d * (d_attention + d_kv),
        feed_forward=layers * matrices * d * config.d_ff,
        norms_and_biases=vectors,
    )


def count_decoder(
    n_layers: int,
    d_model: int,
    d_ff: int,
    vocab_size: int,
    n_tokens: int,
    gated: bool = False,
) -> tuple[int, int, int]:
    """Weights in the blocks' matrices, weights of the embedding, and the work of training.

    ``n_layers (4 d_model² + 2 d_model d_ff)``, or three matrices if the layer is gated;
    ``vocab_size d_model``, tied; and ``6 N D`` with both, as the embedding is multiplied at the
    output. Biases, norms and the products of attention weights are left out.

    Args:
        n_layers: blocks.
        d_model: features of a token.
        d_ff: features inside the feed-forward layer.
        vocab_size: tokens of the vocabulary.
        n_tokens: tokens that are trained on.
        gated: whether the feed-forward layer has a gate.

    Returns:
        The two numbers of weights, and floating-point operations.

    Raises:
        ValueError: a size is below 1.

    Source:
        Kaplan et al. 2020, arXiv:2001.08361, section 2.1.

    >>> count_decoder(1, 4, 3, 5, n_tokens=10)
    (88, 20, 6480)
    """
    sizes = {"n_layers": n_layers, "d_model": d_model, "d_ff": d_ff, "vocab_size": vocab_size}
    for name, size in {**sizes, "n_tokens": n_tokens}.items():
        if size < 1:
            raise ValueError(f"{name}: expected 1 or more, got {size}.")
    matrices = 3 if gated else 2
    blocks = n_layers * (4 * d_model**2 + matrices * d_model * d_ff)
    embedding = vocab_size * d_model
    return blocks, embedding, 6 * (blocks + embedding) * n_tokens


def chinchilla_70b_parts() -> Parts:
    """Chinchilla in the convention of its authors, with projections of relative positions.

    80 layers of width 8,192 and 64 heads of 128; a feed-forward layer four times as wide, not
    gated; 32,000 tokens. Its Transformer-XL attention has a fifth matrix of ``d_model ** 2``, which
    is what lifts the count from 65 to 70 billion. Vectors are left out.

    Source:
        Hoffmann et al. 2022, arXiv:2203.15556, table 4; Dai et al. 2019, arXiv:1901.02860.

    >>> round(chinchilla_70b_parts().total / 1e9, 1)
    70.1
    """
    layers, d = 80, 8192
    return Parts(
        embedding=32_000 * d,
        positions=0,
        attention=layers * 5 * d**2,
        feed_forward=layers * 8 * d**2,
        norms_and_biases=0,
    )
