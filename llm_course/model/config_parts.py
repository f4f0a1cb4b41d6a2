"""Two parts of a configuration: the numbers of the position methods, and how the parts are wired.

Their defaults are those of GPT-2 and Llama, so that a plain decoder names neither.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

RopePairing = Literal["interleaved", "half_split"]
Placement = Literal["pre", "post", "sandwich", "deep_norm", "parallel"]


@dataclass(frozen=True, kw_only=True)
class PositionOptions:
    """The numbers of the position methods; each method reads its own.

    Args:
        rope_base: base of the rotary frequencies.
        rope_pairing: which features rotate together: neighbours, or i with i + d_head/2.
        rope_frequencies: radians a position of each pair, where they do not follow from the base:
            those of a stretched context (``long_context`` computes them).
        rope_magnitude: what cosines and sines are multiplied by; YaRN's is above 1.
        n_buckets: T5's buckets, both directions together.
        max_distance: from this distance on, all share T5's last bucket.

    Raises:
        ValueError: a number is not positive, or the pairing is unknown.

    >>> PositionOptions(rope_base=500_000.0).rope_pairing
    'half_split'
    """

    rope_base: float = 10_000.0
    rope_pairing: RopePairing = "half_split"
    rope_frequencies: tuple[float, ...] = ()
    rope_magnitude: float = 1.0
    n_buckets: int = 32
    max_distance: int = 128

    def __post_init__(self) -> None:
        check_positive("rope_base", self.rope_base)
        check_choice("rope_pairing", self.rope_pairing, RopePairing)
        # A config that was kept as JSON comes back with a list.
        object.__setattr__(self, "rope_frequencies", tuple(self.rope_frequencies))
        for frequency in self.rope_frequencies:
            check_positive("rope_frequencies", frequency)
        check_positive("rope_magnitude", self.rope_magnitude)
        check_size("n_buckets", self.n_buckets)
        check_size("max_distance", self.max_distance)


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """How the parts of a Transformer are put together.

    Args:
        placement: where the norms of a block stand (``placement.py`` has the formulas).
        scale_scores: whether attention scores are divided by ``sqrt(d_head)``; not in T5.
        window: how many positions a token sees, itself counted; all of the past if None.
        embedding_scale: what token embeddings are multiplied by; ``sqrt(d_model)`` in 2017.
        embedding_norm: whether the embeddings are normalised before the first block.
        output_scale: what the stream is multiplied by before the output matrix;
            ``1 / sqrt(d_model)`` in T5.

    Raises:
        ValueError: a number is not positive, or the placement is unknown.

    >>> Wiring(placement="post").window is None
    True
    """

    placement: Placement = "pre"
    scale_scores: bool = True
    window: int | None = None
    embedding_scale: float = 1.0
    embedding_norm: bool = False
    output_scale: float = 1.0

    def __post_init__(self) -> None:
        check_choice("placement", self.placement, Placement)
        if self.window is not None:
            check_size("window", self.window)
        check_positive("embedding_scale", self.embedding_scale)
        check_positive("output_scale", self.output_scale)


def check_size(field: str, size: Any) -> None:
    """Refuse what is no number of things.

    >>> check_size("n_layers", 2.0)
    Traceback (most recent call last):
    ...
    ValueError: n_layers: expected a positive integer, got 2.0.
    """
    if type(size) is not int or size < 1:
        raise ValueError(f"{field}: expected a positive integer, got {size!r}.")


def check_positive(field: str, number: float) -> None:
    """Refuse zero, negative numbers and NaN."""
    if not number > 0:
        raise ValueError(f"{field}: expected a positive number, got {number!r}.")


def check_choice(field: str, choice: str, literal: Any) -> None:
    """Refuse a word that is not among those of the type.

    >>> check_choice("rope_pairing", "neox", RopePairing)
    Traceback (most recent call last):
    ...
    ValueError: rope_pairing: expected one of interleaved, half_split, got 'neox'.
    """
    choices = get_args(literal)
    if choice not in choices:
        raise ValueError(f"{field}: expected one of {', '.join(choices)}, got {choice!r}.")
