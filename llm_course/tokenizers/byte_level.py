"""The byte level under byte-level BPE: any text becomes bytes, any byte becomes one character.

Two conventions of GPT-2 that every later byte-level tokenizer kept: a table that writes each of
the 256 bytes as a visible character, so that vocabularies can be stored as text, and a pattern
that splits text into words before merging, so that no token spans two words.

Leaves out the merging itself.
"""

from functools import cache

import regex

_ENGLISH_ENDINGS = r"'s|'t|'re|'ve|'m|'ll|'d"

GPT2_SPLIT = rf"{_ENGLISH_ENDINGS}| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?!\S)|\s+"
r"""GPT-2's rule: English endings, then runs of letters, of digits or of other marks, each with the
one space before it. ``\s+(?!\S)`` leaves the last space of a run to the word that follows."""

SMOLLM_SPLIT = (
    rf"{_ENGLISH_ENDINGS}|\p{{N}}| ?\p{{L}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?![^\s\p{{N}}])|\s+"
)
"""SmolLM's rule: each digit alone, and GPT-2's rule on what lies between the digits. A run of
spaces in front of a digit therefore stays whole: the text that GPT-2's rule sees ends there."""

CL100K_SPLIT = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
r"""GPT-4's rule (cl100k): a word may begin with any one mark or space, digits come in groups of at
most three from the left, marks take the line ends behind them, endings also in capitals."""


@cache
def byte_characters() -> tuple[str, ...]:
    """The visible character that stands for each byte; the index is the byte.

    Bytes that Latin-1 prints stand for themselves. The 68 others (control characters, the space,
    the soft hyphen) take the code points from 256 on, in order: the space, 33rd of them, is ``Ġ``.

    Source:
        Radford et al. 2019, *Language Models are Unsupervised Multitask Learners*, section 2.2;
        the table is that of the released GPT-2 vocabulary.

    >>> characters = byte_characters()
    >>> characters[ord("A")], characters[ord(" ")], characters[ord("\\n")], characters[0]
    ('A', 'Ġ', 'Ċ', 'Ā')
    """
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in visible]
    shifted = {byte: chr(256 + index) for index, byte in enumerate(hidden)}
    return tuple(shifted.get(byte, chr(byte)) for byte in range(256))


@cache
def _character_bytes() -> dict[str, int]:
    return {character: byte for byte, character in enumerate(byte_characters())}


def utf8(text: str) -> bytes:
    """The UTF-8 bytes of a text.

    Raises:
        ValueError: the text holds half of a surrogate pair, which has no bytes.

    >>> utf8("é")
    b'\\xc3\\xa9'
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"text: expected whole characters, got half of a surrogate pair in {text!r}. "
            "Fix: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        ) from error


def to_characters(data: bytes) -> str:
    """Write bytes with GPT-2's table.

    >>> to_characters(" é".encode())
    'ĠÃ©'
    """
    characters = byte_characters()
    return "".join(characters[byte] for byte in data)


def to_bytes(characters: str) -> bytes:
    """Read what ``to_characters`` wrote.

    Raises:
        ValueError: a character is not in the table.

    >>> to_bytes("ĠÃ©").decode()
    ' é'
    """
    table = _character_bytes()
    unknown = [character for character in characters if character not in table]
    if unknown:
        raise ValueError(
            f"characters: expected GPT-2's byte characters, got {unknown[0]!r} in {characters!r}."
        )
    return bytes(table[character] for character in characters)


def split_words(text: str, pattern: str) -> list[str]:
    """Cut text into the words inside which merging happens; joined, they are the text again.

    What the pattern does not match, between two matches, is a word, too.

    Args:
        text: any text.
        pattern: ``GPT2_SPLIT``, ``SMOLLM_SPLIT``, ``CL100K_SPLIT`` or another in the syntax of the
            regex module.

    >>> split_words("It's  over 42", GPT2_SPLIT)
    ['It', "'s", ' ', ' over', ' 42']
    >>> split_words("It's  over 42", SMOLLM_SPLIT)
    ['It', "'s", ' ', ' over', ' ', '4', '2']
    """
    rule = _compiled(pattern)
    words = [] if rule.groups else rule.findall(text)
    if sum(map(len, words)) == len(text):
        return words
    words, end = [], 0
    for found in rule.finditer(text):
        words += [text[end : found.start()], found.group()]
        end = found.end()
    return [word for word in [*words, text[end:]] if word]


@cache
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern)


def readable(data: bytes) -> str:
    """A token's bytes as a short label: spaces and line ends become visible marks.

    Bytes that are a part of a character, as tokens of rare scripts often are, are shown in
    hexadecimal.

    >>> readable(b" the"), readable(b"\\n"), readable("é".encode()), readable("é".encode()[:1])
    ('·the', '↵', 'é', '<C3>')
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "".join(f"<{byte:02X}>" for byte in data)
    marks = {" ": "·", "\n": "↵", "\t": "→"}
    return "".join(
        marks.get(character, character if character.isprintable() else f"<{ord(character):02X}>")
        for character in text
    )
