"""SentencePiece's view of text: a normaliser first, then a visible mark in place of each space.

The mark ``▁`` (U+2581) makes the space an ordinary character, so that pieces can hold it and the
text can be put together again without rules about blanks.
"""

import unicodedata
from collections.abc import Callable
from typing import Literal

import regex

MARK = "▁"
"""U+2581, which stands for a space inside pieces."""

Normalizer = Literal["identity", "nmt_nfkc"]

_REMOVED = [*range(0x01, 0x09), 0x0B, *range(0x0E, 0x20), 0x7F, 0x8F, 0x9F]
# U+200D joins the parts of an emoji and stays.
_BLANKS = [
    *(0x09, 0x0A, 0x0C, 0x0D, 0x061C, 0x1680, 0x200B, 0x200C, 0x200E, 0x200F, 0x2028, 0x2029),
    *(0x2581, 0xFEFF, 0xFFFD),
]
_NMT = dict.fromkeys(_REMOVED) | dict.fromkeys(_BLANKS, " ")
_NMT_CHARACTERS = regex.compile("[" + "".join(map(regex.escape, map(chr, _NMT))) + "]")


def nmt_nfkc(text: str) -> str:
    """The rule ``nmt_nfkc`` of SentencePiece: blanks of every kind become spaces, then NFKC.

    Control characters are removed, and so is the difference between compatible forms (``ﬁ`` and
    ``fi``, full-width and ordinary letters); the full-width tilde alone is kept. It equals
    SentencePiece's table on every character that Python's Unicode version knows, but for U+0344;
    sequences of combining marks may be ordered otherwise, for that table is no full NFKC.

    >>> nmt_nfkc("ﬁne\\tＡ～")
    'fine A～'
    """
    if _NMT_CHARACTERS.search(text):
        text = text.translate(_NMT)
    return "～".join(unicodedata.normalize("NFKC", part) for part in text.split("～"))


NORMALIZERS: dict[str, Callable[[str], str]] = {"identity": lambda text: text, "nmt_nfkc": nmt_nfkc}


def squeeze_spaces(text: str) -> str:
    """Remove the spaces at both ends and make one of each run, as SentencePiece does by default.

    >>> squeeze_spaces("  two   words ")
    'two words'
    """
    return regex.sub(" {2,}", " ", text.strip(" "))


def mark_spaces(text: str, prefix: bool = True) -> str:
    """Write each space as ``▁``; with ``prefix``, put one in front, so that a word has one form.

    >>> mark_spaces("a cat"), mark_spaces("a cat", prefix=False), mark_spaces("")
    ('▁a▁cat', 'a▁cat', '')
    """
    return (MARK + text if prefix and text else text).replace(" ", MARK)


def split_marks(text: str) -> list[str]:
    """Cut marked text in front of each ``▁``: no piece reaches over one.

    >>> split_marks("▁a▁cat"), split_marks("▁▁a")
    (['▁a', '▁cat'], ['▁', '▁a'])
    """
    first, *rest = text.split(MARK)
    return [first, *(MARK + word for word in rest)] if first else [MARK + word for word in rest]
