"""YaRN: fast pairs are left alone, slow pairs are interpolated, and attention is sharpened.

What a pair needs depends on how often it turns within the trained length. A pair that turns many
times has shown the model every angle, so positions further on bring nothing new; a pair that does
not finish one turn has shown a part of the circle only, and must stay within it. Those between are
mixed. Leaves out the dynamic form (``ntk`` has one).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from llm_course.long_context.position_interpolation import check_factor
from llm_course.model.positions import rope_frequencies

_APART = 0.001  # how far apart two equal ends of the ramp are taken to be


class YarnRange(NamedTuple):
    """Between which numbers of turns a pair is neither left alone nor interpolated.

    Args:
        fast: turns within the trained length from which on a pair is left alone.
        slow: turns up to which a pair is interpolated.
        whole_pairs: whether the ramp begins and ends at whole pairs.
    """

    fast: float = 32.0
    slow: float = 1.0
    whole_pairs: bool = True


PUBLISHED_RANGE = YarnRange()
"""The range that the paper found good for Llama."""


def pair_that_turns(n_turns: float, d_head: int, original: int, base: float) -> float:
    """Which pair turns ``n_turns`` times within the trained length, as a real number.

    Pair ``i`` makes ``L * base ** (-2i / d_head) / 2π`` turns; solved for ``i`` this is
    ``d_head * ln(L / (2π n_turns)) / (2 ln(base))``.

    Source:
        Peng et al. 2023, arXiv:2309.00071, section 3.2 (the ratio r of eq. 17, solved for d).

    >>> round(pair_that_turns(1.0, d_head=64, original=2048, base=10_000.0), 2)
    20.11
    """
    return d_head * math.log(original / (n_turns * 2 * math.pi)) / (2 * math.log(base))


def yarn_ramp(
    d_head: int,
    original: int,
    base: float = 10_000.0,
    turns: YarnRange | tuple[float, float] = PUBLISHED_RANGE,
) -> Tensor:
    """How much of each pair is interpolated: 0 for the fast, 1 for the slow, a line between.

    The paper draws the line over the turns; its code and Transformers, as here, over the pairs.

    Shapes:
        returns ``d_head/2``, fp32.

    Raises:
        ValueError: a number is out of range.

    Source:
        Peng et al. 2023, arXiv:2309.00071, eq. 18 (``1 - gamma``).

    >>> yarn_ramp(8, original=100, base=10_000.0, turns=YarnRange(15.0, 0.2)).tolist()
    [0.0, 0.5, 1.0, 1.0]
    """
    turns = YarnRange(*turns)
    if base <= 1:
        raise ValueError(f"base: expected a number above 1, got {base}.")
    if original < 1:
        raise ValueError(f"original: expected a positive number of tokens, got {original}.")
    if not 0 < turns.slow <= turns.fast:
        raise ValueError(f"turns: expected 0 < slow <= fast, got {turns.slow} and {turns.fast}.")
    first = pair_that_turns(turns.fast, d_head, original, base)
    last = pair_that_turns(turns.slow, d_head, original, base)
    if turns.whole_pairs:
        first, last = math.floor(first), math.ceil(last)
    first, last = max(first, 0), min(last, d_head - 1)
    if first == last:
        last += _APART
    pair = torch.arange(d_head // 2, dtype=torch.float32)
    return ((pair - first) / (last - first)).clamp(0, 1)


def yarn_frequencies(
    d_head: int,
    factor: float,
    original: int,
    base: float = 10_000.0,
    turns: YarnRange | tuple[float, float] = PUBLISHED_RANGE,
) -> Tensor:
    """The frequencies of RoPE, interpolated pair by pair as far as the ramp says.

    ``frequency_i = ramp_i * f_i / factor + (1 - ramp_i) * f_i`` with ``f_i = base ** (-2i/d_head)``

    Args:
        d_head: features of a head.
        factor: how many times longer the text becomes.
        original: tokens of the longest text that the model was trained on.
        base: of the frequencies that the model was trained with.
        turns: where the ramp begins and ends: a range, or its two numbers of turns.

    Shapes:
        returns ``d_head/2``, fp32.

    Raises:
        ValueError: a number is out of range.

    Source:
        Peng et al. 2023, arXiv:2309.00071, definition 2 (eq. 19 and 20), "NTK-by-parts".

    >>> yarn_frequencies(8, 2.0, 100, base=16.0, turns=YarnRange(15.0, 0.2)).tolist()[0]
    1.0
    """
    check_factor(factor)
    kept = rope_frequencies(d_head, base)
    ramp = yarn_ramp(d_head, original, base, turns)
    exponents = torch.arange(0, d_head, 2).float() / d_head
    interpolated = 1.0 / (factor * base**exponents)  # rounded once, as Transformers does
    share = 1 - ramp  # of the pair that is left alone
    return interpolated * (1 - share) + kept * share


def yarn_magnitude(factor: float, mscale: float = 1.0) -> float:
    """What cosines and sines are multiplied by: ``0.1 * mscale * ln(factor) + 1``.

    Queries and keys both grow by it and scores by its square, which sharpens the softmax: over more
    keys it would be flatter than in training. Some checkpoints (DeepSeek's) give two values of
    ``mscale`` and divide one magnitude by the other.

    Raises:
        ValueError: the factor is below 1.

    Source:
        Peng et al. 2023, arXiv:2309.00071, eq. 22 (``sqrt(1/t)``).

    >>> round(yarn_magnitude(math.e), 4)
    1.1
    """
    check_factor(factor)
    return 0.1 * mscale * math.log(factor) + 1.0
