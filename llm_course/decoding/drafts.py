"""Drafts for speculative decoding: cheap guesses at the next few tokens.

A draft says which tokens it guesses, and with which probabilities it drew each: the acceptance
rule needs both. A small model is a draft; so is a look at where the text said the same before.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Protocol

import torch
from torch import Tensor

from llm_course.decoding.generate import read_chunk
from llm_course.decoding.language_model import LanguageModel, new_cache
from llm_course.decoding.sampling import History, SamplingConfig, draw, next_token_probabilities


class Draft(Protocol):
    """What guesses the next tokens of a text."""

    def propose(self, history: History, n_tokens: int) -> tuple[list[int], Tensor]:
        """At most ``n_tokens`` tokens that may follow; none if there is no good guess.

        Shapes:
            the second returned value is ``n v``: the distribution that each was drawn from.
        """


class ModelDraft:
    """Guesses by a smaller model with the same vocabulary; it keeps a cache of its own.

    Args:
        model: what guesses.
        sampling: how it draws; best the settings of the target, so that the two agree. Its seed is
            shifted, since the draft's random numbers must not be those that judge it.
    """

    def __init__(self, model: LanguageModel, sampling: SamplingConfig) -> None:
        self.model, self.sampling = model, replace(sampling, seed=sampling.seed + 1_000_003)
        self._generator = torch.Generator().manual_seed(self.sampling.seed)
        self._cache = new_cache(model, 1, model.config.context_length)
        self._read: list[int] = []  # the tokens whose keys and values are cached

    def propose(self, history: History, n_tokens: int) -> tuple[list[int], Tensor]:
        """Write ``n_tokens`` tokens, fewer if the context of the draft is full."""
        text = [*history.prompt, *history.written]
        n_tokens = min(n_tokens, self.model.config.context_length - len(text))
        self._forget_all_but(text)
        guess = History(history.prompt, list(history.written))
        rows = []
        for _ in range(n_tokens):
            new = [*guess.prompt, *guess.written][len(self._read) :]
            logits = read_chunk(self.model, new, self._cache, n_last=1)
            self._read += new
            rows.append(next_token_probabilities(logits, self.sampling, [guess]))
            guess.written.append(int(draw(rows[-1], self._generator)))
        size = self.model.config.vocab_size
        tokens = guess.written[len(history.written) :]
        return tokens, torch.cat(rows) if rows else torch.zeros(0, size)

    def _forget_all_but(self, text: Sequence[int]) -> None:
        """Keep what is cached of this text, but for its last token, which must be read anew."""
        pairs = zip(self._read, text[:-1], strict=False)
        n_common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        self._read = self._read[:n_common]
        self._cache.truncate([n_common])


class PromptLookup:
    """Guesses that the text goes on as it did the last time that it said the same.

    Looks for the latest earlier place of the last ``n`` tokens, the longest ``n`` first, and
    proposes what followed there. It costs nothing, and is right where a text quotes itself: code,
    summaries, corrections.

    Args:
        vocab_size: of the target.
        longest: the most tokens that are looked for.

    Raises:
        ValueError: ``longest`` is below 1.

    Source:
        Saxena 2023, "Prompt lookup decoding"; Yang et al. 2023, arXiv:2304.04487.

    >>> PromptLookup(10).propose(History([1, 2, 3, 4, 9, 1, 2]), 2)[0]
    [3, 4]
    """

    def __init__(self, vocab_size: int, longest: int = 3) -> None:
        if longest < 1:
            raise ValueError(f"longest: expected at least 1, got {longest}.")
        self.vocab_size, self.longest = vocab_size, longest

    def propose(self, history: History, n_tokens: int) -> tuple[list[int], Tensor]:
        """What followed the same tokens before; each has probability 1, for none was drawn."""
        tokens = look_up([*history.prompt, *history.written], n_tokens, self.longest)
        certain = torch.zeros(len(tokens), self.vocab_size)
        certain[range(len(tokens)), tokens] = 1.0
        return tokens, certain


def look_up(text: Sequence[int], n_tokens: int, longest: int) -> list[int]:
    """What followed the latest earlier place of the end of the text.

    Args:
        text: token ids.
        n_tokens: the most that are returned.
        longest: the most tokens of the end that are looked for; the longest match wins.

    >>> look_up([5, 6, 7, 5, 6], n_tokens=3, longest=2)
    [7, 5, 6]
    >>> look_up([5, 6, 7], n_tokens=3, longest=2)
    []
    """
    text = list(text)
    for n in range(min(longest, len(text) - 1), 0, -1):
        end = text[-n:]
        for start in range(len(text) - n - 1, -1, -1):
            if text[start : start + n] == end:
                return text[start + n : start + n + n_tokens]
    return []
