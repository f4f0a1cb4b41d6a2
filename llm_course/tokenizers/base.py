"""What every tokenizer of the course offers, and what they share: special tokens, training texts.

Leaves out training: each kind learns its vocabulary in its own way and by its own function.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import regex

from llm_course.errors import CourseError


@runtime_checkable
class Tokenizer(Protocol):
    """Text to ids and back."""

    vocabulary: dict[str, int]
    """The id of each token, special tokens included."""

    special_tokens: dict[str, int]
    """The id of each token that stands for itself, such as the end of a text."""

    def __len__(self) -> int:
        """Number of tokens, special ones included."""
        ...

    def encode(self, text: str, allow_special: bool | Collection[str] = False) -> list[int]:
        """The token ids of a text; special tokens are recognised in it only where allowed."""
        ...

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        """The text of token ids."""
        ...

    def tokens(self, text: str, allow_special: bool | Collection[str] = False) -> list[str]:
        """The tokens of a text as labels for a figure."""
        ...


def split_special(
    text: str, special_tokens: Collection[str], allow_special: bool | Collection[str]
) -> list[str]:
    """Cut a text at the special tokens it spells out: text, special token, text, ..., text.

    Where two special tokens begin at one place, the longer one is meant.

    Args:
        text: any text.
        special_tokens: all special tokens of the tokenizer.
        allow_special: which of them are recognised: none, all, or those named. Text that a
            stranger wrote should be encoded with none, or it can end a turn and begin one in
            another's name.

    Raises:
        ValueError: a name in ``allow_special`` is not a special token.

    >>> split_special("Hi<end>you", ["<end>"], allow_special=True)
    ['Hi', '<end>', 'you']
    >>> split_special("Hi<end>you", ["<end>"], allow_special=False)
    ['Hi<end>you']
    """
    if isinstance(allow_special, bool):
        allowed = list(special_tokens) if allow_special else []
    else:
        allowed = list(allow_special)
    unknown = [token for token in allowed if token not in special_tokens]
    if unknown:
        raise ValueError(
            f"allow_special: expected special tokens ({', '.join(special_tokens) or 'there are '}"
            f"{'' if special_tokens else 'none'}), got {unknown}. Fix: name only those"
        )
    if not allowed:
        return [text]
    longest_first = sorted(allowed, key=len, reverse=True)
    return regex.split("(" + "|".join(map(regex.escape, longest_first)) + ")", text)


def check_special(special_tokens: Iterable[str], vocabulary: Mapping[str, int]) -> dict[str, int]:
    """The ids of special tokens.

    Raises:
        ValueError: one is not in the vocabulary.

    >>> check_special(["<end>"], {"a": 0, "<end>": 1})
    {'<end>': 1}
    """
    wanted = list(special_tokens)
    absent = [token for token in wanted if token not in vocabulary]
    if absent or "" in wanted:
        raise ValueError(
            f"special_tokens: expected tokens of the vocabulary, got {absent or ['']}."
        )
    return {token: vocabulary[token] for token in wanted}


def each_text(texts: Iterable[str]) -> Iterator[str]:
    """The texts of a corpus, looked at one by one.

    Raises:
        TypeError: ``texts`` is a single text, or holds something else than texts.

    >>> list(each_text(["a", "b"]))
    ['a', 'b']
    """
    if isinstance(texts, str | bytes):
        raise TypeError(f"texts: expected several, got one {type(texts).__name__}. Fix: [text]")
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(
                f"texts: expected str, got {type(text).__name__} {str(text)[:40]!r}. "
                "Fix: decode bytes first, data.decode('utf-8')"
            )
        yield text


def read_lines(path: str | os.PathLike[str]) -> Iterator[str]:
    """The lines of a text file, as texts to train on; the file may be larger than the memory.

    Raises:
        CourseError: the file cannot be read, or is not UTF-8 text.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "corpus.txt")
    >>> _ = path.write_text("one\\ntwo")
    >>> list(read_lines(path))
    ['one\\n', 'two']
    """
    fix = "Fix: give a text file in UTF-8"
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            for number, line in enumerate(file, start=1):
                if "\0" in line:
                    raise CourseError(
                        f"{path}: expected text, got a zero byte in line {number}. {fix}"
                    )
                yield line
    except UnicodeDecodeError as error:
        raise CourseError(f"{path}: expected UTF-8 text, got: {error}. {fix}") from error
    except OSError as error:
        raise CourseError(
            f"{path}: expected a readable file, got: {error.strerror}. {fix}"
        ) from error
