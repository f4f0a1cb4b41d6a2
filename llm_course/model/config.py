"""The shape of a Transformer, validated once, when it is made.

Leaves out what is not a property of the weights: device, dtype and the attention kernel are
arguments of the functions that need them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from llm_course.model.config_parts import (
    PositionOptions,
    Wiring,
    check_choice,
    check_positive,
    check_size,
)

Norm = Literal["layer_norm", "rms_norm"]
FeedForwardKind = Literal["relu", "gelu", "gelu_tanh", "swish", "swiglu", "geglu", "geglu_tanh"]
Position = Literal["rope", "learned", "sinusoidal", "t5", "alibi", "none"]


@dataclass(frozen=True, kw_only=True)
class DecoderConfig:
    """Sizes and choices of one stack of blocks: a causal decoder, or an encoder.

    Args:
        vocab_size: number of token ids.
        context_length: longest sequence the model was trained on, in tokens.
        d_model: features of the residual stream.
        n_layers: number of blocks.
        n_heads: query heads; ``d_model / n_heads`` features each.
        n_kv_heads: key-value heads; ``n_heads`` (or 0, the default, which becomes ``n_heads``) is
            multi-head attention, 1 is multi-query, anything between is grouped-query.
        d_ff: hidden features of the feed-forward layer.
        norm: normalisation of the sub-layers and, where there is one, before the output.
        norm_eps: the epsilon inside the norm's square root.
        feed_forward: activation of the feed-forward layer.
        position: how positions enter.
        position_options: the numbers of the position method.
        bias: whether the linear layers have one.
        tie_embeddings: whether the output matrix is the embedding matrix.
        wiring: where the norms stand, and what is scaled.

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
    position_options: PositionOptions = field(default_factory=PositionOptions)
    bias: bool = False
    tie_embeddings: bool = True
    wiring: Wiring = field(default_factory=Wiring)

    def __post_init__(self) -> None:
        if self.n_kv_heads == 0:
            object.__setattr__(self, "n_kv_heads", self.n_heads)
        for name in _SIZES:
            check_size(name, getattr(self, name))
        for name, literal in _CHOICES.items():
            check_choice(name, getattr(self, name), literal)
        check_positive("norm_eps", self.norm_eps)
        self._check_divisions()

    def _check_divisions(self) -> None:
        """The heads share the features evenly, the groups the heads, and pairs the features."""
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
        n_given = len(self.position_options.rope_frequencies)
        if n_given not in (0, self.d_head // 2):
            raise ValueError(
                f"rope_frequencies: expected none or d_head / 2 = {self.d_head // 2}, "
                f"got {n_given}."
            )
        if self.position == "sinusoidal" and self.d_model % 2:
            raise ValueError(
                f"d_model: expected an even number for sinusoidal positions, got {self.d_model}."
            )

    @property
    def d_head(self) -> int:
        """Features of one head, ``d_model / n_heads``."""
        return self.d_model // self.n_heads

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> "DecoderConfig":
        """The config that ``dataclasses.asdict`` was given, such as one kept as JSON.

        >>> from dataclasses import asdict
        >>> config = DecoderConfig(
        ...     vocab_size=9, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=3
        ... )
        >>> DecoderConfig.from_dict(asdict(config)) == config
        True
        """
        parts = {"position_options": PositionOptions, "wiring": Wiring}
        made = {name: part(**settings[name]) for name, part in parts.items() if name in settings}
        return cls(**{**settings, **made})


@dataclass(frozen=True, kw_only=True)
class EncoderDecoderConfig:
    """An encoder, and a decoder that attends to what the encoder made of another text.

    Args:
        encoder: the stack that reads the source.
        decoder: the stack that writes the target; its output matrix may be tied.
        share_embeddings: whether both have one embedding matrix.

    Raises:
        ValueError: the stacks differ in what they share.

    >>> stack = DecoderConfig(
    ...     vocab_size=9, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=3
    ... )
    >>> EncoderDecoderConfig(encoder=stack, decoder=stack).share_embeddings
    True
    """

    encoder: DecoderConfig
    decoder: DecoderConfig
    share_embeddings: bool = True

    def __post_init__(self) -> None:
        shared = ("d_model", "vocab_size") if self.share_embeddings else ("d_model",)
        for name in shared:
            one, other = getattr(self.encoder, name), getattr(self.decoder, name)
            if one != other:
                raise ValueError(f"decoder.{name}: expected the encoder's {one}, got {other}.")
        if self.encoder.wiring.window is not None:
            raise ValueError(
                f"encoder.wiring.window: expected None, got {self.encoder.wiring.window}."
            )


_SIZES = (
    "vocab_size", "context_length", "d_model", "n_layers", "n_heads", "n_kv_heads", "d_ff",
)  # fmt: skip
_CHOICES = {"norm": Norm, "feed_forward": FeedForwardKind, "position": Position}
