"""Text comes out as soon as it is certain, and the same however it is cut into tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.decoding.text_stream import TextStream, check_stop
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.byte_level import byte_characters

ALPHABET = st.text("abé😀\n", max_size=12)
STOPS = st.lists(st.text("abé😀\n", min_size=1, max_size=3), max_size=3)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(data)) for place in places} | {len(data)})
    return [data[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def reference(text: str, stop: list[str]) -> str:
    """Up to where the first stop string is complete, without it."""
    for end in range(len(text) + 1):
        begins = [end - len(word) for word in stop if text[:end].endswith(word)]
        if begins:
            return text[: min(begins)]
    return text


@given(ALPHABET, STOPS, st.lists(st.integers(0, 40), max_size=40))
def test_pieces_join_to_the_text_before_the_stop_string(text, stop, places):
    stream = TextStream(stop)
    byte_by_byte = [text.encode()[i : i + 1] for i in range(len(text.encode()))]
    pieces = [stream.feed(data) for data in byte_by_byte] + [stream.close()]
    assert "".join(pieces) == stream.text == reference(text, stop)
    assert stream.stopped == any(word in text for word in stop)
    coarse = TextStream(stop)
    got = "".join([coarse.feed(data) for data in cut(text.encode(), places)] + [coarse.close()])
    assert got == coarse.text and not any(word in got for word in stop)
    assert text.startswith(got)


@given(ALPHABET)
def test_without_stop_strings_nothing_but_half_characters_is_held_back(text):
    stream = TextStream()
    for character in text:
        *begin, last = (bytes([byte]) for byte in character.encode())
        assert [stream.feed(byte) for byte in begin] == [""] * len(begin)
        assert stream.feed(last) == character


def test_half_a_character_at_the_end_is_shown_as_one():
    stream = TextStream()
    assert stream.feed("é".encode()[:1]) == "" and stream.close() == "�"


CHARACTERS = {character: byte for byte, character in enumerate(byte_characters()) if byte < 128}
ASCII = ByteLevelBPE(CHARACTERS | {"<end>": 128}, [], special_tokens=["<end>"])


@pytest.mark.parametrize(
    ("stop", "tokenizer", "message"),
    [
        (["a"], None, r"stop: expected none without a tokenizer, got \['a'\]. Fix: pass tokenizer"),
        ([""], ASCII, "stop: expected texts of at least one character, got ''"),
        ([3], ASCII, "stop: expected texts of at least one character, got 3"),
        (["é"], ASCII, "stop: expected a text that the vocabulary can write, got 'é'. Fix: leave"),
    ],
)
def test_stop_strings_that_can_never_be_found_are_refused(stop, tokenizer, message):
    with pytest.raises(ValueError, match=message):
        check_stop(stop, tokenizer)


def test_a_vocabulary_that_drops_bytes_cannot_write_them():
    dropping = ByteLevelBPE(CHARACTERS, [], missing_bytes="drop")
    with pytest.raises(ValueError, match="expected a text that the vocabulary can write, got 'é'"):
        check_stop(["é"], dropping)


def test_a_special_token_may_be_a_stop_string():
    check_stop(["<end>", "\n\n"], ASCII)
