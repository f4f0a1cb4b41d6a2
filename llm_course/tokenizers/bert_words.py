"""BERT's way from text to words: clean, take off accents and capitals, cut at spaces and marks.

Lossy on purpose: ``Héllo!`` and ``hello !`` become the same words, and nothing brings the
difference back.

Leaves out cleaning without spacing of Chinese characters, and other accents than the stripped.
"""

import unicodedata
from functools import cache

_CHINESE = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip
"""The blocks whose characters are words of their own."""


class _Table(dict[int, str]):
    """What ``str.translate`` puts for each character, worked out when it is first met."""

    def __init__(self, lowercase: bool | None) -> None:
        super().__init__()
        self._lowercase = lowercase

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if self._lowercase is None:
            self[code] = _clean(character)
        else:
            self[code] = _fold(character, self._lowercase)
        return self[code]


def _clean(character: str) -> str:
    """Nothing for a control character, one space for any white space, spaces round Chinese."""
    if character in "\t\n\r":
        return " "
    category = unicodedata.category(character)
    if character in "\0\ufffd" or category in ("Cc", "Cf", "Co"):
        return ""
    if category in ("Zs", "Zl", "Zp"):
        return " "
    if any(low <= ord(character) <= high for low, high in _CHINESE):
        return f" {character} "
    return character


def _fold(character: str, lowercase: bool) -> str:
    """Small letters without accents; spaces round each mark, so that it becomes a word."""
    category = unicodedata.category(character)
    if lowercase and category == "Mn":
        return ""
    # All of ASCII's marks count, also those that Unicode calls symbols: $ + < = > ^ ` | ~
    is_mark = category.startswith("P") or (character.isascii() and category.startswith("S"))
    if is_mark:
        return f" {character} "
    # One by one: a whole word's lower() would end in another sigma.
    return character.lower() if lowercase else character


@cache
def _tables(lowercase: bool) -> tuple[_Table, _Table]:
    return _Table(None), _Table(lowercase)


def bert_words(text: str, lowercase: bool = True) -> list[str]:
    """The words of a text.

    Args:
        text: any text.
        lowercase: take off capitals and accents, as the uncased models do.

    Source:
        Devlin et al. 2019, arXiv:1810.04805, and the released code's basic tokenizer.

    >>> bert_words("Don't panic: Ünïcode, 你好!")
    ['don', "'", 't', 'panic', ':', 'unicode', ',', '你', '好', '!']
    >>> bert_words("Ünïcode", lowercase=False)
    ['Ünïcode']
    """
    clean, fold = _tables(lowercase)
    text = text.translate(clean)
    if lowercase and not text.isascii():
        text = unicodedata.normalize("NFD", text)
    return text.translate(fold).split()
