"""Byte tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.tokenizers.byte_fallback import BYTE_OF, BYTE_TOKENS, byte_tokens


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_the_tokens_are_the_utf8_bytes(text):
    assert b"".join(BYTE_OF[token] for token in byte_tokens(text)) == text.encode()


def test_names_are_sentencepieces():
    assert (BYTE_TOKENS[0], BYTE_TOKENS[10], BYTE_TOKENS[255]) == ("<0x00>", "<0x0A>", "<0xFF>")


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ValueError, match="half of a surrogate pair"):
        byte_tokens("\udc00")
