"""The shape of a decoder-only Transformer, validated once, when it is made.

Leaves out what is not a property of the weights: device, dtype and the attention kernel are
arguments of the functions that need them.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Norm = Literal["layer_norm", "rms_norm"]
FeedForwardKind = Literal["relu", "gelu", "gelu_tanh", "swish", "swiglu", "geglu", "geglu_tanh"]
Position = Literal["rope", "learned", "none"]
RopePairing = Literal["interleaved", "half_split"]


@dataclass(frozen=True, kw_only=True)
class DecoderConfig:
    """Sizes and choices of a causal decoder.

    Args:
        vocab_size: number of token ids.
        context_length: longest sequence the model was trained on, in tokens.
        d_model: features of the residual stream.
        n_layers: number of blocks.
        n_heads: query heads; ``d_model / n_heads`` features each.
        n_kv_heads: key-value heads; ``n_heads`` (or 0, the default, which becomes ``n_heads``) is
            multi-head attention, 1 is multi-query, anything between is grouped-query.
        d_ff: hidden features of the feed-forward layer.
        norm: normalisation before each sub-layer and before the output.
        norm_eps: the epsilon inside the norm's square root.
        feed_forward: activation of the feed-forward layer.
        position: how positions enter.
        rope_base: base of the rotary frequencies.
        rope_pairing: which features rotate together: neighbours, or i with i + d_head/2.
        bias: whether the linear layers have one.
        tie_embeddings: whether the output matrix is the embedding matrix.

    Raises:
        ValueError: a size is not positive, the sizes do not divide, or a choice is unknown.

    >>> config = DecoderConfig(
    ...     vocab_size=100, context_length=16, d_model=12, n_layers=1, n_heads=3, d_ff=24
    ... )
    >>> config.d_head, config.n_kv_heads
    (4, 3)
    """

    vocab_size: int
    context_length: int
    d_model: int
    n_layers: int
    n_heads: int
    n_kv_heads: int = 0
    d_ff: int
    norm: Norm = "rms_norm"
    norm_eps: float = 1e-5
    feed_forward: FeedForwardKind = "swiglu"
    position: Position = "rope"
    rope_base: float = 10_000.0
    rope_pairing: RopePairing = "half_split"
    bias: bool = False
    tie_embeddings: bool = True

    def __post_init__(self) -> None:
        if self.n_kv_heads == 0:
            object.__setattr__(self, "n_kv_heads", self.n_heads)
        for field in _SIZES:
            size = getattr(self, field)
            if type(size) is not int or size < 1:
                raise ValueError(f"{field}: expected a positive integer, got {size!r}.")
        for field, literal in _CHOICES.items():
            choice, choices = getattr(self, field), get_args(literal)
            if choice not in choices:
                expected = ", ".join(choices)
                raise ValueError(f"{field}: expected one of {expected}, got {choice!r}.")
        for field in ("norm_eps", "rope_base"):
            number = getattr(self, field)
            if not number > 0:
                raise ValueError(f"{field}: expected a positive number, got {number!r}.")
        self._check_heads()

    def _check_heads(self) -> None:
        """The heads share the features evenly, and the groups share the heads."""
        if self.d_model % self.n_heads:
            raise ValueError(
                f"n_heads: expected a divisor of d_model={self.d_model}, got {self.n_heads}."
            )
        if self.n_heads % self.n_kv_heads:
            raise ValueError(
                f"n_kv_heads: expected a divisor of n_heads={self.n_heads}, got {self.n_kv_heads}."
            )
        if self.position == "rope" and self.d_head % 2:
            raise ValueError(f"d_head: expected an even number for RoPE, got {self.d_head}.")

    @property
    def d_head(self) -> int:
        """Features of one head, ``d_model / n_heads``."""
        return self.d_model // self.n_heads


_SIZES = (
    "vocab_size", "context_length", "d_model", "n_layers", "n_heads", "n_kv_heads", "d_ff",
)  # fmt: skip
_CHOICES = {
    "norm": Norm,
    "feed_forward": FeedForwardKind,
    "position": Position,
    "rope_pairing": RopePairing,
}
