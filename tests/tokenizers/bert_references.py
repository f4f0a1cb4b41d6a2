"""Which characters BERT's reference can be asked about, whatever our words make of them."""

import unicodedata


def is_older(character: str) -> bool:
    """Whether Unicode 3.2 has the character, with the category and the forms of today.

    Hugging Face's pre-tokenizer knows the categories of an early Unicode, ours those of the
    running Python; this asks neither of the two.
    """
    old = unicodedata.ucd_3_2_0
    return old.category(character) == unicodedata.category(character) != "Cn" and old.normalize(
        "NFD", character
    ) == unicodedata.normalize("NFD", character)
