"""Sampling: from the logits of the next token to a token, by one small configuration.

The filters and penalties are applied in the order of Transformers: penalties, temperature, top-k,
top-p, min-p, typical. What is left is normalised, and one token is drawn from it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from llm_course.decoding.filters import (
    apply_temperature,
    check_share,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    keep_typical,
)
from llm_course.decoding.penalties import (
    penalise_frequency,
    penalise_presence,
    penalise_repetition,
    token_counts,
)
from llm_course.shapes import check_shape

LEAST_TEMPERATURE = 1e-3
"""Below it logits overflow, and there is nothing left to draw from; 0 is greedy search."""


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How the next token is chosen. The default is plain random sampling.

    Args:
        temperature: what the logits are divided by; 0 is greedy search.
        top_k: how many of the likeliest tokens are kept; 0 keeps all.
        top_p: how much probability the likeliest tokens that are kept have together.
        min_p: the least probability that is kept, as a share of the highest.
        typical_p: how much probability the most typical tokens that are kept have together.
        repetition_penalty: divides the logits of tokens that occurred, prompt included.
        frequency_penalty: is subtracted for each time that a token was written.
        presence_penalty: is subtracted once if a token was written.
        seed: of the random numbers.

    Raises:
        ValueError: a number is out of its range.

    >>> SamplingConfig(temperature=0.7, top_p=0.9).top_k
    0
    >>> SamplingConfig(temperature=-1.0)
    Traceback (most recent call last):
    ...
    ValueError: temperature: expected 0 (greedy) or a number from 0.001, got -1.0.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    repetition_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.temperature != 0 and not LEAST_TEMPERATURE <= self.temperature < math.inf:
            raise ValueError(
                f"temperature: expected 0 (greedy) or a number from {LEAST_TEMPERATURE:g}, got "
                f"{self.temperature}."
            )
        if type(self.top_k) is not int or self.top_k < 0:
            raise ValueError(f"top_k: expected 0 (keep all) or an integer, got {self.top_k!r}.")
        check_share("top_p", self.top_p)
        check_share("typical_p", self.typical_p)
        if not 0 <= self.min_p <= 1:
            raise ValueError(f"min_p: expected a number from 0 to 1, got {self.min_p}.")
        if not 0.1 <= self.repetition_penalty <= 10:
            raise ValueError(
                "repetition_penalty: expected a number from 0.1 to 10, got "
                f"{self.repetition_penalty}. Fix: 1 for none."
            )
        if type(self.seed) is not int or not 0 <= self.seed < 2**63:
            raise ValueError(f"seed: expected an integer from 0 to 2^63 - 1, got {self.seed!r}.")
        for name in ("frequency_penalty", "presence_penalty"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name}: expected a number, got {getattr(self, name)}.")

    @property
    def penalises(self) -> bool:
        """Whether the choice depends on the tokens so far."""
        penalties = (self.repetition_penalty, self.frequency_penalty, self.presence_penalty)
        return penalties != (1.0, 0.0, 0.0)


GREEDY = SamplingConfig(temperature=0.0)
"""Greedy search: always the likeliest token, of several the one with the lowest id."""


@dataclass
class History:
    """The tokens of one sequence so far.

    Args:
        prompt: what was given.
        written: what was chosen since.
    """

    prompt: Sequence[int]
    written: list[int] = field(default_factory=list)


def penalise(logits: Tensor, config: SamplingConfig, histories: Sequence[History]) -> Tensor:
    """The logits after the penalties.

    Shapes:
        logits ``b v``, one history a row; returns ``b v``.
    """
    if not config.penalises:
        return logits
    check_shape(logits, "b v", "logits", b=len(histories))
    size = logits.shape[-1]
    written = torch.stack([token_counts(h.written, size, logits.device) for h in histories])
    prompt = torch.stack([token_counts(h.prompt, size, logits.device) for h in histories])
    logits = penalise_repetition(logits, prompt + written, config.repetition_penalty)
    logits = penalise_frequency(logits, written, config.frequency_penalty)
    return penalise_presence(logits, written, config.presence_penalty)


def filter_logits(logits: Tensor, config: SamplingConfig) -> Tensor:
    """The logits after temperature and filters; what changes nothing is left out.

    Shapes:
        logits ``... v``; returns ``... v``.

    Raises:
        ValueError: the temperature is 0, so that there is nothing to draw.
    """
    if config.temperature != 1:
        logits = apply_temperature(logits, config.temperature)
    if config.top_k:
        logits = keep_top_k(logits, config.top_k)
    if config.top_p < 1:
        logits = keep_top_p(logits, config.top_p)
    if config.min_p > 0:
        logits = keep_min_p(logits, config.min_p)
    if config.typical_p < 1:
        logits = keep_typical(logits, config.typical_p)
    return logits


def next_token_probabilities(
    logits: Tensor, config: SamplingConfig, histories: Sequence[History]
) -> Tensor:
    """The distribution that the next token is drawn from; greedy search has one certain token.

    Shapes:
        logits ``b v``; returns ``b v``, at least fp32; every row sums to 1.

    >>> logits = torch.tensor([[0.5, 0.3, 0.2]]).log()
    >>> config = SamplingConfig(top_k=2)
    >>> next_token_probabilities(logits, config, [History([])]).round(decimals=4).tolist()
    [[0.625, 0.375, 0.0]]
    """
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    wide = penalise(wide, config, histories)
    if config.temperature == 0:
        return torch.zeros_like(wide).scatter(-1, wide.argmax(dim=-1, keepdim=True), 1.0)
    return filter_logits(wide, config).softmax(dim=-1)


def draw(probabilities: Tensor, generator: torch.Generator) -> Tensor:
    """Draw one index a row, by inverting the cumulative distribution.

    The first index whose cumulative probability exceeds a uniform number ``u`` in [0, 1). It is
    computed in fp64: in fp32 a sum over 50,000 tokens is off by more than the rare ones weigh.

    Args:
        probabilities: each row sums to 1, or to any positive number.
        generator: gives one number a row.

    Shapes:
        probabilities ``b v``; returns ``b``.

    >>> draw(torch.tensor([[0.0, 1.0, 0.0]]), torch.Generator().manual_seed(0)).tolist()
    [1]
    """
    uniform = torch.rand(len(probabilities), generator=generator, dtype=torch.float64,
                         device=generator.device)  # fmt: skip
    return locate(probabilities, uniform)


def locate(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """The index of each row at which a uniform number falls, by inverting the cumulative sums.

    Shapes:
        probabilities ``b v``, uniform ``b``; returns ``b``.

    >>> locate(torch.tensor([[0.0, 0.6, 0.4]]), torch.tensor([0.7])).tolist()
    [2]
    """
    sums = probabilities.double().cumsum(dim=-1)
    total = sums[:, -1:]
    # Rounding must not lift the threshold to the total: beyond it there is no index.
    below = torch.nextafter(total, torch.zeros_like(total))
    threshold = (uniform.to(total)[:, None] * total).minimum(below)
    return torch.searchsorted(sums, threshold, right=True).squeeze(-1)


class Sampler:
    """Chooses the next tokens by a configuration; remembers nothing but its random numbers.

    Args:
        config: how to choose.

    >>> sampler = Sampler(GREEDY)
    >>> sampler(torch.tensor([[1.0, 3.0, 2.0]]), [History([0])]).tolist()
    [1]
    """

    def __init__(self, config: SamplingConfig) -> None:
        self.config = config
        self.generator = torch.Generator().manual_seed(config.seed)

    def __call__(self, logits: Tensor, histories: Sequence[History]) -> Tensor:
        """Shapes: logits ``b v``, one history a row; returns ``b``."""
        if self.config.temperature == 0:
            return penalise(logits, self.config, histories).argmax(dim=-1)
        return draw(self.probabilities(logits, histories), self.generator)

    def probabilities(self, logits: Tensor, histories: Sequence[History]) -> Tensor:
        """``next_token_probabilities`` by this configuration."""
        return next_token_probabilities(logits, self.config, histories)
