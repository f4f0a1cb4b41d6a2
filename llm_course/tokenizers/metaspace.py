"""SentencePiece's view of text: a normaliser first, then a visible mark in place of each space.

The mark ``▁`` (U+2581) makes the space an ordinary character, so that pieces can hold it and the
text can be put together again without rules about blanks.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Literal, get_args

import regex

MARK = "▁"
"""U+2581, which stands for a space inside pieces."""

Normalizer = Literal["identity", "nfkc", "nmt_nfkc", "nmt_then_nfkc"]
Spaces = Literal["keep", "runs", "all"]
Prefix = Literal["always", "missing", "never"]

REMOVED = "".join(map(chr, [*range(0x01, 0x09), 0x0B, *range(0x0E, 0x20), 0x7F, 0x8F, 0x9F]))
_BLANK_CODES = [
    *(0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B, 0x200C, 0x200E, 0x200F, 0x2028, 0x2029),
    *(0x2581, 0xFEFF, 0xFFFD),
]
_SHARED_BLANKS = "".join(map(chr, _BLANK_CODES))
BLANKS = _SHARED_BLANKS + "\u061c"
"""What becomes a space. U+200D, which joins the parts of an emoji, stays."""
KEPT = "～"
"""The full-width tilde, which NFKC would change."""


def _table(blanks: str) -> dict[int, str | None]:
    return dict.fromkeys(map(ord, REMOVED)) | dict.fromkeys(map(ord, blanks), " ")


_NMT, _HF_NMT = _table(BLANKS), _table(_SHARED_BLANKS + "\u200d")
_NMT_CHARACTERS = regex.compile(f"[{regex.escape(REMOVED + BLANKS)}\u200d]")


def nmt_nfkc(text: str) -> str:
    """The rule ``nmt_nfkc`` of SentencePiece: blanks of every kind become spaces, then NFKC.

    Control characters are removed, and so is the difference between compatible forms (``ﬁ`` and
    ``fi``, full-width and ordinary letters); the full-width tilde alone is kept. It equals
    SentencePiece's table on every character that Python's Unicode version knows, but for U+0344;
    sequences of combining marks may be ordered otherwise, for that table is no full NFKC.

    >>> nmt_nfkc("ﬁne\\tＡ～")
    'fine A～'
    """
    return KEPT.join(unicodedata.normalize("NFKC", part) for part in _nmt(text, _NMT).split(KEPT))


def nmt_then_nfkc(text: str) -> str:
    """Hugging Face's ``Nmt`` and ``NFKC``: without the three exceptions that ``nmt_nfkc`` makes.

    Hugging Face's ``NFKC`` is of an older Unicode than Python's and leaves some 70 characters,
    all rare, as they are.

    >>> nmt_then_nfkc("～")
    '~'
    """
    return unicodedata.normalize("NFKC", _nmt(text, _HF_NMT))


def _nmt(text: str, table: dict[int, str | None]) -> str:
    return text.translate(table) if _NMT_CHARACTERS.search(text) else text


NORMALIZERS: dict[Normalizer, Callable[[str], str]] = {
    "identity": lambda text: text,
    "nfkc": lambda text: unicodedata.normalize("NFKC", text),
    "nmt_nfkc": nmt_nfkc,
    "nmt_then_nfkc": nmt_then_nfkc,
}


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What is done to a text before it is cut into pieces.

    Args:
        normalizer: ``identity`` loses nothing.
        spaces: ``keep`` them, make one of each of the ``runs``, or drop outer ones too (``all``).
        prefix: whether a mark is put in front, so that the first word is like all others:
            ``always`` (as SentencePiece), where one is ``missing`` (as Hugging Face) or ``never``.

    Raises:
        ValueError: an unknown choice.

    >>> Preparation()("a cat"), Preparation(prefix="missing")(" a"), SENTENCEPIECE("  a   b ")
    ('▁a▁cat', '▁a', '▁a▁b')
    """

    normalizer: Normalizer = "identity"
    spaces: Spaces = "keep"
    prefix: Prefix = "always"

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value not in get_args(field.type):
                choices = " or ".join(get_args(field.type))
                raise ValueError(f"{field.name}: expected {choices}, got {value!r}.")

    def __call__(self, text: str) -> str:
        """The text as pieces spell it."""
        return self.mark(self.normalize(text))

    def normalize(self, text: str) -> str:
        """The normalised text, spaces still as spaces."""
        text = NORMALIZERS[self.normalizer](text)
        if self.spaces != "keep":
            text = regex.sub(" {2,}", " ", text)
        return text.strip(" ") if self.spaces == "all" else text

    def mark(self, text: str) -> str:
        """The text with ``▁`` for each space and in front, by ``prefix``; empty stays empty."""
        text = text.replace(" ", MARK)
        wanted = self.prefix == "always" or (self.prefix == "missing" and text[:1] != MARK)
        return MARK + text if wanted and text else text


SENTENCEPIECE = Preparation(normalizer="nmt_nfkc", spaces="all")
"""What SentencePiece does by default."""


def split_marks(text: str) -> list[str]:
    """Cut marked text in front of each ``▁``: no piece reaches over one.

    >>> split_marks("▁a▁cat"), split_marks("▁▁a")
    (['▁a', '▁cat'], ['▁', '▁a'])
    """
    first, *rest = text.split(MARK)
    return [first, *(MARK + word for word in rest)] if first else [MARK + word for word in rest]
