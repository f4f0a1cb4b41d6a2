"""From tokens to text as it is written: whole characters only, and an end at a stop string.

A token may hold a part of a character, and a stop string may begin in one token and end in
another. So text is handed out only once it is certain: no half character, nothing that may still
turn out to be a stop string.
"""

import codecs
from collections.abc import Sequence
from typing import Protocol


class Tokenizer(Protocol):
    """What decoding needs of a tokenizer."""

    def encode(self, text: str, allow_special: bool = False) -> list[int]:
        """The ids of a text."""

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes of one token."""


class TextStream:
    """Collects the bytes of tokens, and hands out text up to a stop string.

    Args:
        stop: the strings that end the text; they do not belong to it.

    >>> stream = TextStream(["END"])
    >>> [stream.feed(piece) for piece in (b"caf\\xc3", b"\\xa9 E", b"N", b"Z, EN", b"D, more")]
    ['caf', 'é ', '', 'ENZ, ', '']
    >>> stream.stopped, stream.text
    (True, 'café ENZ, ')
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._stop = list(stop)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self.text = ""
        self.stopped = False

    def feed(self, data: bytes) -> str:
        """The text that has become certain with these bytes."""
        if self.stopped:
            return ""
        self._held += self._decoder.decode(data)
        found = [place for stop in self._stop if (place := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            return self._hand_out(min(found), rest=False)
        return self._hand_out(len(self._held) - self._may_be_stop())

    def close(self) -> str:
        """The rest, when no more tokens come; half a character becomes ``�``."""
        if self.stopped:
            return ""
        self._held += self._decoder.decode(b"", final=True)
        return self._hand_out(len(self._held))

    def _hand_out(self, n: int, rest: bool = True) -> str:
        certain, self._held = self._held[:n], self._held[n:] if rest else ""
        self.text += certain
        return certain

    def _may_be_stop(self) -> int:
        """Length of the longest end of the held text with which a stop string begins."""
        longest = max((len(stop) - 1 for stop in self._stop), default=0)
        for n in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-n:]) for stop in self._stop):
                return n
        return 0


def check_stop(stop: Sequence[str], tokenizer: Tokenizer | None) -> None:
    """Refuse stop strings that could never be found.

    Raises:
        ValueError: one is empty, holds a byte that no token of the vocabulary has, or there is no
            tokenizer to find it with.

    >>> check_stop(["\\n"], None)
    Traceback (most recent call last):
    ...
    ValueError: stop: expected none without a tokenizer, got ['\\n']. Fix: pass tokenizer=.
    """
    if stop and tokenizer is None:
        raise ValueError(
            f"stop: expected none without a tokenizer, got {list(stop)}. Fix: pass tokenizer=."
        )
    for text in stop:
        if not isinstance(text, str) or not text:
            raise ValueError(f"stop: expected texts of at least one character, got {text!r}.")
        if not _can_be_written(text, tokenizer):
            raise ValueError(
                f"stop: expected a text that the vocabulary can write, got {text!r}. "
                "Fix: leave it out; the model can never write it."
            )


def _can_be_written(text: str, tokenizer: Tokenizer) -> bool:
    try:
        ids = tokenizer.encode(text, allow_special=True)
    except ValueError:
        return False
    return b"".join(map(tokenizer.token_bytes, ids)) == text.encode()
