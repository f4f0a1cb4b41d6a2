"""Byte fallback: what no piece spells is written as its UTF-8 bytes, one token for each."""

BYTE_TOKENS = tuple(f"<0x{byte:02X}>" for byte in range(256))
"""The tokens, as SentencePiece and Hugging Face write them; the index is the byte."""

BYTE_OF = {token: bytes([byte]) for byte, token in enumerate(BYTE_TOKENS)}


def byte_tokens(text: str) -> list[str]:
    """The byte tokens of a text.

    Raises:
        ValueError: the text holds half of a surrogate pair, which no bytes can say.

    >>> byte_tokens("é")
    ['<0xC3>', '<0xA9>']
    """
    try:
        return [BYTE_TOKENS[byte] for byte in text.encode()]
    except UnicodeEncodeError as error:
        raise ValueError(
            f"text: expected whole characters, got half of a surrogate pair in {text!r}. "
            "Fix: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        ) from error
