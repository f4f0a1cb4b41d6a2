"""Beam search: keep the few best beginnings at every step, and return the best whole texts.

A beginning is judged by the **sum of its log-probabilities**. A finished text is judged by that sum
divided by ``length ** alpha``: sums only fall as a text grows, so without the division the shortest
text would win. The conventions are those of Transformers: the length counts the new tokens with the
end token and without the prompt, and a text that is cut off at the longest length counts as
finished. Leaves out sampled beams and groups of beams.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

import torch
from torch import Tensor

from llm_course.decoding.generate import read_prompts, read_tokens
from llm_course.decoding.language_model import (
    LanguageModel,
    check_prompt,
    most_new_tokens,
    new_cache,
)

EarlyStopping = bool | Literal["never"]


@dataclass(frozen=True, kw_only=True)
class BeamConfig:
    """How beam search looks for a text.

    Args:
        width: how many beginnings are kept; 1 is greedy search.
        length_penalty: ``alpha``; 0 compares sums, 1 means, more than 0 favours longer texts.
        early_stopping: when a search with ``width`` finished texts ends. True: at once. False: when
            the best beginning, judged at its present length, is no better than the worst of them.
            "never": when no continuation of it could be, judged (if ``alpha > 0``) at the longest
            length.
        n_best: how many texts are returned.
        max_new_tokens: the most tokens that are written; fewer if the context is full before.
        end_ids: the tokens that end a text.

    Raises:
        ValueError: a number is out of its range.

    >>> BeamConfig(width=2, n_best=3)
    Traceback (most recent call last):
    ...
    ValueError: n_best: expected an integer from 1 to width=2, got 3.
    """

    width: int = 4
    length_penalty: float = 1.0
    early_stopping: EarlyStopping = False
    n_best: int = 1
    max_new_tokens: int = 128
    end_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("width", "max_new_tokens"):
            number = getattr(self, name)
            if type(number) is not int or number < 1:
                raise ValueError(f"{name}: expected a positive integer, got {number!r}.")
        if type(self.n_best) is not int or not 1 <= self.n_best <= self.width:
            raise ValueError(
                f"n_best: expected an integer from 1 to width={self.width}, got {self.n_best!r}."
            )
        if not math.isfinite(self.length_penalty):
            raise ValueError(f"length_penalty: expected a number, got {self.length_penalty}.")
        if type(self.early_stopping) is not bool and self.early_stopping != "never":
            raise ValueError(
                f"early_stopping: expected True, False or 'never', got {self.early_stopping!r}."
            )


@dataclass(frozen=True)
class Hypothesis:
    """A finished text.

    Args:
        tokens: the new tokens, the end token included.
        score: the sum of their log-probabilities, divided by ``length ** alpha``.
    """

    tokens: list[int]
    score: float


def length_normalised(log_probability: float, length: int, alpha: float) -> float:
    """The score of a text: ``sum_t log p(x_t | x_<t) / length ** alpha``.

    Args:
        log_probability: the sum, in nats.
        length: new tokens, the end token included.
        alpha: the length penalty.

    Source:
        Wu et al. 2016, arXiv:1609.08144, eq. 14, has ``((5 + length) / 6) ** alpha``; this is the
        plain form that Transformers uses.

    >>> length_normalised(-6.0, length=4, alpha=0.5)
    -3.0
    """
    return log_probability / length**alpha


def beam_search(
    model: LanguageModel, prompts: Sequence[Sequence[int]], config: BeamConfig | None = None
) -> list[list[Hypothesis]]:
    """The best continuations of each prompt, the best first; all prompts in one batch.

    Args:
        model: what reads and writes.
        prompts: token ids of each; they may differ in length.
        config: how to search.

    Raises:
        ValueError: there is no prompt, or one is empty or longer than the context.

    Source:
        Sutskever et al. 2014, arXiv:1409.3215, section 3.2.

    >>> from llm_course.model.decoder import Decoder
    >>> from llm_course.model.config import DecoderConfig
    >>> model = Decoder(DecoderConfig(
    ...     vocab_size=5, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=3
    ... ))
    >>> [[best, second]] = beam_search(
    ...     model, [[1, 2, 3]], BeamConfig(width=2, n_best=2, max_new_tokens=4)
    ... )
    >>> len(best.tokens), best.score >= second.score
    (4, True)
    """
    config = config or BeamConfig()
    if not prompts:
        raise ValueError("prompts: expected at least one, got none.")
    for prompt in prompts:
        check_prompt(model, prompt)
    most = [min(config.max_new_tokens, most_new_tokens(model, prompt)) for prompt in prompts]
    places = max(len(prompt) + n - 1 for prompt, n in zip(prompts, most, strict=True))
    searches = [Search(config, n) for n in most]
    cache = new_cache(model, len(prompts), places)
    logits, live = read_prompts(model, prompts, cache), searches
    while True:
        # The rows of the batch: the beams of the first search, those of the second, ...
        sizes = [len(search.texts) for search in live]
        parts = log_probabilities(logits).split(sizes)
        parents = [s.advance(part) for s, part in zip(live, parts, strict=True)]
        starts = accumulate(sizes, initial=0)
        rows = [
            start + beam
            for start, beams, search in zip(starts, parents, live, strict=False)
            for beam in beams
            if not search.done
        ]
        live = [search for search in live if not search.done]
        if not live:
            return [search.finished[: config.n_best] for search in searches]
        cache.select(rows)
        newest = [text[-1] for search in live for text in search.texts]
        logits = read_tokens(model, newest, cache)


def log_probabilities(logits: Tensor) -> Tensor:
    """The logarithms of the softmax, in fp32 at least."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(dim=-1)


class Search:
    """The search for one prompt: its beginnings, and the finished texts.

    Args:
        config: how to search.
        most: the longest text, in new tokens.

    >>> search = Search(BeamConfig(width=2, end_ids=(2,)), most=9)
    >>> search.advance(torch.tensor([[0.5, 0.3, 0.2]]).log())  # both go on from the one beginning
    [0, 0]
    >>> search.texts, search.sums.exp().round(decimals=4).tolist()
    ([[0], [1]], [0.5, 0.30000001192092896])
    """

    def __init__(self, config: BeamConfig, most: int) -> None:
        self.config, self.most = config, most
        self.texts: list[list[int]] = [[]]
        self.sums = torch.zeros(1)
        self.finished: list[Hypothesis] = []
        self.done = False

    def advance(self, log_p: Tensor) -> list[int]:
        """Make every beginning one token longer; returns which old one each new one extends.

        Of the ``width`` best candidates, those that end are finished texts; the ``width`` best that
        do not end are the new beginnings. Each beginning can end in as many ways as there are end
        tokens, so ``(1 + n_ends) * width`` candidates are always enough.

        Shapes:
            log_p ``n v``: one row for each beginning.
        """
        config, length = self.config, len(self.texts[0]) + 1
        sums = (self.sums.to(log_p)[:, None] + log_p).flatten()
        n_candidates = max(2, 1 + len(config.end_ids)) * config.width
        best, places = sums.topk(min(n_candidates, len(sums)))
        going_on: list[tuple[int, int, int]] = []  # candidate, beginning, token
        for rank, place in enumerate(places.tolist()):
            beam, token = divmod(place, log_p.shape[-1])
            if token not in config.end_ids and length < self.most:
                going_on.append((rank, beam, token))
            elif rank < config.width:
                score = length_normalised(best[rank].item(), length, config.length_penalty)
                self.finished.append(Hypothesis([*self.texts[beam], token], score))
        self.finished = sorted(self.finished, key=lambda text: -text.score)[: config.width]
        going_on = going_on[: config.width]
        self.texts = [[*self.texts[beam], token] for _, beam, token in going_on]
        self.sums = best[[rank for rank, _, _ in going_on]]
        self.done = not going_on or self._may_stop(length)
        return [beam for _, beam, _ in going_on]

    def _may_stop(self, length: int) -> bool:
        """Whether enough texts are finished and, by the chosen rule, none will be better."""
        config = self.config
        if len(self.finished) < config.width:
            return False
        if config.early_stopping is True or config.width == 1:
            return True
        far = config.early_stopping == "never" and config.length_penalty > 0
        best = length_normalised(
            self.sums[0].item(), self.most if far else length, config.length_penalty
        )
        return best <= self.finished[-1].score
