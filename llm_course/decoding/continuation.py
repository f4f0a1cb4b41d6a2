"""One text that is being written: its settings, its tokens so far, and when it ends.

Generation, speculative decoding and the engine all write by these rules, so that the three cannot
differ in when a text ends or how its tokens are chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from llm_course.decoding.language_model import LanguageModel, check_prompt, most_new_tokens
from llm_course.decoding.sampling import GREEDY, History, Sampler, SamplingConfig
from llm_course.decoding.text_stream import TextStream, Tokenizer, check_stop

Reason = Literal["end", "stop", "length"]
"""Why a text ended: an end token, a stop string, or as long as it may become."""


@dataclass(frozen=True, kw_only=True)
class GenerationConfig:
    """How a text is continued.

    Args:
        max_new_tokens: the most tokens that are written; fewer if the context is full before.
        end_ids: the tokens that end a text.
        stop: the strings that end a text; they need a tokenizer.
        sampling: how each token is chosen; greedy search if not given.

    Raises:
        ValueError: a number is not positive.

    >>> GenerationConfig(max_new_tokens=0)
    Traceback (most recent call last):
    ...
    ValueError: max_new_tokens: expected a positive integer, got 0.
    """

    max_new_tokens: int = 128
    end_ids: tuple[int, ...] = ()
    stop: tuple[str, ...] = ()
    sampling: SamplingConfig = GREEDY

    def __post_init__(self) -> None:
        if type(self.max_new_tokens) is not int or self.max_new_tokens < 1:
            raise ValueError(
                f"max_new_tokens: expected a positive integer, got {self.max_new_tokens!r}."
            )
        if isinstance(self.stop, str):
            raise ValueError(
                f"stop: expected a tuple of texts, got the text {self.stop!r}. Fix: (text,)."
            )


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A text that was written.

    Args:
        tokens: the new tokens; the one that ended the text is among them.
        text: the new text, without the end token or stop string; None if there is no tokenizer.
        reason: why it ended.
    """

    tokens: list[int]
    text: str | None
    reason: Reason


class Continuation:
    """The state of one text.

    Args:
        model: what will write it; only its sizes are read.
        prompt: the ids that it begins with.
        config: how it is continued.
        tokenizer: makes text of the tokens; needed for stop strings.

    Raises:
        ValueError: the prompt or a stop string is refused.
    """

    def __init__(
        self,
        model: LanguageModel,
        prompt: Sequence[int],
        config: GenerationConfig,
        tokenizer: Tokenizer | None = None,
    ) -> None:
        check_prompt(model, prompt)
        check_stop(config.stop, tokenizer)
        self.config, self.tokenizer = config, tokenizer
        self.history = History(list(prompt))
        self.sampler = Sampler(config.sampling)
        self.most = min(config.max_new_tokens, most_new_tokens(model, prompt))
        self.reason: Reason | None = None
        self._stream = TextStream(config.stop)

    @property
    def tokens(self) -> list[int]:
        """All tokens so far, prompt and written."""
        return [*self.history.prompt, *self.history.written]

    def append(self, token: int) -> str:
        """Add a token, note whether the text has ended, and return the text that became certain."""
        self.history.written.append(token)
        if token in self.config.end_ids:
            self.reason = "end"
            return self._stream.close()
        piece = (
            "" if self.tokenizer is None else self._stream.feed(self.tokenizer.token_bytes(token))
        )
        if self._stream.stopped:
            self.reason = "stop"
        elif len(self.history.written) >= self.most:
            self.reason = "length"
            piece += self._stream.close()
        return piece

    def result(self) -> Generation:
        """What was written.

        Raises:
            RuntimeError: the text has not ended.
        """
        if self.reason is None:
            raise RuntimeError("result: expected a text that has ended, got one that goes on.")
        text = None if self.tokenizer is None else self._stream.text
        return Generation(tokens=list(self.history.written), text=text, reason=self.reason)


def choose(logits: Tensor, continuations: Sequence[Continuation]) -> list[int]:
    """The next token of each text, each by its own settings and random numbers.

    Shapes:
        logits ``b v``, one text a row.
    """
    settings = [text.config.sampling for text in continuations]
    if all(s.temperature == 0 and not s.penalises for s in settings):
        return logits.argmax(dim=-1).tolist()
    chosen = [
        text.sampler(row[None], [text.history])
        for row, text in zip(logits, continuations, strict=True)
    ]
    return torch.cat(chosen).tolist()
