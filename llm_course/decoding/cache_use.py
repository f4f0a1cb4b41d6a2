"""How much of a cache is used: room for the longest answer, against blocks on demand.

A server that keeps each sequence in one piece must reserve the longest length it may reach. Here
the tokens that both ways hold are counted over a stream of requests, without any tensor. Leaves
out sharing of blocks, which saves more, and external fragmentation, which wastes more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from llm_course.decoding.blocks import blocks_for


@dataclass(frozen=True, kw_only=True)
class Request:
    """A prompt that arrives, and the answer it gets.

    Args:
        arrival: the step in which the prompt is read; each later step adds one token.
        n_prompt: tokens of the prompt.
        n_generated: tokens of the answer; the sequence is released in the step after the last.
    """

    arrival: int
    n_prompt: int
    n_generated: int

    def length_at(self, step: int) -> int:
        """Tokens that are cached in this step; 0 before the arrival and after the release."""
        n_steps = step - self.arrival
        return self.n_prompt + n_steps if 0 <= n_steps <= self.n_generated else 0


@dataclass(frozen=True, kw_only=True)
class CacheUse:
    """What is held in one step, in tokens.

    Args:
        step: which step.
        used: tokens that are there.
        contiguous: tokens of room that preallocated sequences hold.
        paged: tokens of room in the blocks that are held.
    """

    step: int
    used: int
    contiguous: int
    paged: int

    @property
    def contiguous_waste(self) -> int:
        """Tokens of room that preallocation holds and nothing fills."""
        return self.contiguous - self.used

    @property
    def paged_waste(self) -> int:
        """Tokens of room in held blocks that nothing fills."""
        return self.paged - self.used


def cache_use(requests: Sequence[Request], max_length: int, block_size: int) -> list[CacheUse]:
    """What both ways of keeping the cache hold, step by step, until the last release.

    A live sequence of length ``n`` holds ``max_length`` tokens of room if it is preallocated and
    ``ceil(n / block_size) * block_size`` if it is paged.

    Args:
        requests: the stream.
        max_length: longest sequence that is allowed, in tokens.
        block_size: tokens a block.

    Raises:
        ValueError: a request grows longer than ``max_length``.

    Source:
        Kwon et al. 2023, arXiv:2309.06180, section 3.1 and figure 3.

    >>> [step] = cache_use([Request(arrival=0, n_prompt=5, n_generated=0)], 16, block_size=4)
    >>> step.used, step.contiguous_waste, step.paged_waste
    (5, 11, 3)
    """
    longest = max((request.n_prompt + request.n_generated for request in requests), default=0)
    if longest > max_length:
        raise ValueError(
            f"requests: expected at most max_length={max_length} tokens, got {longest}."
        )
    ends = [request.arrival + request.n_generated for request in requests]
    steps = []
    for step in range(max(ends, default=-1) + 1):
        lengths = [n for request in requests if (n := request.length_at(step))]
        paged = sum(blocks_for(length, block_size) * block_size for length in lengths)
        contiguous = max_length * len(lengths)
        steps.append(CacheUse(step=step, used=sum(lengths), contiguous=contiguous, paged=paged))
    return steps


def utilisation(steps: Sequence[CacheUse]) -> tuple[float, float]:
    """The used share of the room that is held, over all steps: contiguous, then paged.

    >>> steps = cache_use([Request(arrival=0, n_prompt=5, n_generated=0)], 20, block_size=4)
    >>> utilisation(steps)  # 5 of 20, 5 of 8
    (0.25, 0.625)
    """
    used = sum(step.used for step in steps)
    contiguous = sum(step.contiguous for step in steps)
    paged = sum(step.paged for step in steps)
    return used / max(contiguous, 1), used / max(paged, 1)


def random_requests(
    n_requests: int,
    *,
    mean_gap: float,
    mean_prompt: float,
    mean_generated: float,
    max_length: int,
    generator: torch.Generator,
) -> list[Request]:
    """A stream of requests with exponential gaps and lengths, cut at ``max_length``.

    Args:
        n_requests: how many.
        mean_gap: steps between two arrivals, on average.
        mean_prompt: tokens of a prompt, on average before the cut; at least one.
        mean_generated: tokens of an answer, likewise.
        max_length: longest prompt and answer together, in tokens; at least two.
        generator: draws the numbers.

    >>> random_requests(2, mean_gap=4.0, mean_prompt=50.0, mean_generated=100.0, max_length=2,
    ...     generator=torch.Generator().manual_seed(0))[0].n_prompt
    1
    """
    drawn = torch.empty(n_requests, 3, dtype=torch.float64).exponential_(generator=generator)
    gaps, prompts, answers = (drawn * torch.tensor([mean_gap, mean_prompt, mean_generated])).T
    arrivals = gaps.cumsum(dim=0).long().tolist()
    n_prompts = prompts.ceil().clamp(1, max_length - 1).long()
    n_generated = answers.ceil().long().minimum(max_length - n_prompts)
    counts = zip(arrivals, n_prompts.tolist(), n_generated.tolist(), strict=True)
    return [Request(arrival=a, n_prompt=p, n_generated=g) for a, p, g in counts]
