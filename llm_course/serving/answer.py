"""What comes back: whole answers, and the pieces of a stream, in the form of OpenAI's interface."""

import time
import uuid
from collections.abc import Sequence
from typing import Any

from llm_course.decoding.continuation import Generation, Reason

_REASONS: dict[Reason, str] = {"end": "stop", "stop": "stop", "length": "length"}


class Answer:
    """One answer, with its name and time.

    Args:
        model: the model's name.
        chat: whether it is a chat's answer, or a text's continuation.
        n_prompt_tokens: tokens of the request.

    >>> answer = Answer("tiny", chat=True, n_prompt_tokens=3)
    >>> generation = Generation(tokens=[7, 2], text="Hi", reason="end")
    >>> whole = answer.whole([generation])
    >>> whole["choices"][0]["message"], whole["choices"][0]["finish_reason"]
    ({'role': 'assistant', 'content': 'Hi'}, 'stop')
    >>> whole["usage"]["total_tokens"]
    5
    """

    def __init__(self, model: str, chat: bool, n_prompt_tokens: int) -> None:
        self.chat, self.n_prompt_tokens = chat, n_prompt_tokens
        name = ("chatcmpl-" if chat else "cmpl-") + uuid.uuid4().hex
        self._head = {"id": name, "created": int(time.time()), "model": model}
        self._kind = "chat.completion" if chat else "text_completion"

    def whole(self, generations: Sequence[Generation]) -> dict[str, Any]:
        """The answer in one piece."""
        choices = []
        for index, generation in enumerate(generations):
            message = {"role": "assistant", "content": generation.text}
            content = {"message": message} if self.chat else {"text": generation.text}
            choices.append(self._choice(index, content, generation.reason))
        usage = self._usage(sum(len(generation.tokens) for generation in generations))
        return {**self._head, "object": self._kind, "choices": choices, "usage": usage}

    def opening(self, index: int) -> dict[str, Any] | None:
        """The first piece of a text: in a chat, who speaks."""
        if not self.chat:
            return None
        delta = {"role": "assistant", "content": ""}
        return self._chunk([self._choice(index, {"delta": delta}, None)])

    def piece(self, index: int, text: str, reason: Reason | None = None) -> dict[str, Any]:
        """More of a text; the last piece says why it ended."""
        delta = {"content": text} if text else {}
        content = {"delta": delta} if self.chat else {"text": text}
        return self._chunk([self._choice(index, content, reason)])

    def closing(self, n_written: int) -> dict[str, Any]:
        """The number of tokens, at the end of a stream that asked for it."""
        return {**self._chunk([]), "usage": self._usage(n_written)}

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        kind = self._kind + ".chunk" if self.chat else self._kind
        return {**self._head, "object": kind, "choices": choices}

    def _choice(self, index: int, content: dict[str, Any], reason: Reason | None) -> dict[str, Any]:
        ended = None if reason is None else _REASONS[reason]
        return {"index": index, **content, "logprobs": None, "finish_reason": ended}

    def _usage(self, n_written: int) -> dict[str, int]:
        return {
            "prompt_tokens": self.n_prompt_tokens,
            "completion_tokens": n_written,
            "total_tokens": self.n_prompt_tokens + n_written,
        }
