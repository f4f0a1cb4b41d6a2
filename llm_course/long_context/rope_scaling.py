"""A model whose rotary positions are stretched: the same weights under another config.

The model computes its angles from the frequencies that its config carries; here they are computed
by one of four methods. Leaves out frequencies that change with the text: see ``dynamic``.
"""

import copy
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from llm_course.long_context.ntk import dynamic_ntk_frequencies, ntk_frequencies
from llm_course.long_context.position_interpolation import check_factor, interpolated_frequencies
from llm_course.long_context.yarn import (
    PUBLISHED_RANGE,
    YarnRange,
    yarn_frequencies,
    yarn_magnitude,
)
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import check_choice, check_size
from llm_course.model.decoder import Decoder

ScalingKind = Literal["linear", "ntk", "dynamic", "yarn"]


@dataclass(frozen=True, kw_only=True)
class RopeScaling:
    """How rotary positions are stretched, validated once, when it is made.

    Args:
        kind: ``linear`` is position interpolation; ``ntk`` a larger base; ``dynamic`` a base that
            grows with the text; ``yarn`` pair by pair.
        factor: how many times longer the text becomes (``stretch_factor``).
        original: tokens of the longest text that the model was trained on.
        turns: YaRN's range.
        magnitude: of cosines and sines with YaRN; the paper's if not given.

    Raises:
        ValueError: a number is out of range, or the kind is unknown.

    >>> RopeScaling(kind="yarn", factor=4.0, original=2048).target
    8192
    """

    kind: ScalingKind
    factor: float
    original: int
    turns: YarnRange = PUBLISHED_RANGE
    magnitude: float | None = None

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, ScalingKind)
        check_factor(self.factor)
        check_size("original", self.original)

    @property
    def target(self) -> int:
        """Tokens of the longest text that the model is to read."""
        return round(self.factor * self.original)


def scaled_frequencies(
    scaling: RopeScaling, d_head: int, base: float = 10_000.0, n_tokens: int | None = None
) -> tuple[Tensor, float]:
    """The frequencies of a method, and what cosines and sines are multiplied by.

    Args:
        scaling: the method and its numbers.
        d_head: features of a head.
        base: of the frequencies that the model was trained with.
        n_tokens: tokens of the text, which ``dynamic`` alone depends on; the trained length if not
            given.

    Shapes:
        returns ``d_head/2``, fp32, and a number.

    Raises:
        ValueError: as the method's own function.

    >>> scaling = RopeScaling(kind="linear", factor=2.0, original=8)
    >>> frequencies, magnitude = scaled_frequencies(scaling, 4, base=16.0)
    >>> frequencies.tolist(), magnitude
    ([0.5, 0.125], 1.0)
    """
    factor, original = scaling.factor, scaling.original
    if scaling.kind == "linear":
        return interpolated_frequencies(d_head, factor, base), 1.0
    if scaling.kind == "ntk":
        return ntk_frequencies(d_head, factor, base), 1.0
    if scaling.kind == "dynamic":
        length = original if n_tokens is None else n_tokens
        return dynamic_ntk_frequencies(d_head, factor, original, length, base), 1.0
    magnitude = yarn_magnitude(factor) if scaling.magnitude is None else scaling.magnitude
    return yarn_frequencies(d_head, factor, original, base, scaling.turns), magnitude


def stretched(model: Decoder, scaling: RopeScaling, n_tokens: int | None = None) -> Decoder:
    """The model with stretched positions: its own weights, not a copy of them.

    Training the one trains the other. A model that was stretched before is stretched anew from its
    base, not further. The config's ``context_length`` becomes the target.

    Args:
        model: a decoder with RoPE.
        scaling: the method and its numbers.
        n_tokens: tokens of the text, for ``dynamic``.

    Raises:
        ValueError: the model has no rotary positions, or a number is out of range.

    >>> config = DecoderConfig(
    ...     vocab_size=5, context_length=8, d_model=8, n_layers=1, n_heads=2, d_ff=3
    ... )
    >>> model = Decoder(config)
    >>> longer = stretched(model, RopeScaling(kind="linear", factor=4.0, original=8))
    >>> longer.config.context_length, longer.embedding is model.embedding
    (32, True)
    """
    config = check_rotary(model.config)
    base = config.position_options.rope_base
    frequencies, magnitude = scaled_frequencies(scaling, config.d_head, base, n_tokens)
    options = replace(
        config.position_options,
        rope_frequencies=tuple(frequencies.tolist()),
        rope_magnitude=magnitude,
    )
    return with_config(
        model, replace(config, context_length=scaling.target, position_options=options)
    )


def with_config(model: Decoder, config: DecoderConfig) -> Decoder:
    """The same modules under another config; only what is read at every call may differ.

    These are the length of the context, and the numbers of RoPE.
    """
    view = copy.copy(model)
    view.config = config
    return view


def check_rotary(config: DecoderConfig) -> DecoderConfig:
    """The config, once it is known to have rotary positions.

    Raises:
        ValueError: it has others, or none.
    """
    if config.position != "rope":
        raise ValueError(f"position: expected a model with rope, got {config.position}.")
    return config
