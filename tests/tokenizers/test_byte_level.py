"""The byte table against Hugging Face's alphabet, the splits against its pre-tokenizers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from llm_course.tokenizers.byte_level import (
    GPT2_SPLIT,
    SMOLLM_SPLIT,
    byte_characters,
    readable,
    split_words,
    to_bytes,
    to_characters,
)

REFERENCES = {
    GPT2_SPLIT: pre_tokenizers.ByteLevel(add_prefix_space=False),
    SMOLLM_SPLIT: pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    ),
}
# Letters, digits (also superscript and Roman), marks and every kind of white space; all of them
# old enough to be in any library's Unicode tables.
ALPHABET = "aZé中अ' 0 9٣²Ⅷ!-_\t\n\r\x0b\x1c\x85\u00a0\u200b\u2003\u3000'st"


def test_table_holds_the_reference_alphabet() -> None:
    assert sorted(byte_characters()) == sorted(pre_tokenizers.ByteLevel.alphabet())
    assert len(set(byte_characters())) == 256


@given(st.binary())
def test_bytes_come_back(data: bytes) -> None:
    assert to_bytes(to_characters(data)) == data


def test_a_foreign_character_is_named() -> None:
    with pytest.raises(ValueError, match="got '中'"):
        to_bytes("a中")


@pytest.mark.parametrize("pattern", REFERENCES, ids=["gpt2", "smollm"])
@given(text=st.text(alphabet=ALPHABET, max_size=30))
def test_words_are_the_references(pattern: str, text: str) -> None:
    expected = [to_bytes(word).decode() for word, _ in REFERENCES[pattern].pre_tokenize_str(text)]
    assert split_words(text, pattern) == expected


@pytest.mark.parametrize("pattern", REFERENCES, ids=["gpt2", "smollm"])
@given(text=st.text())
def test_words_joined_are_the_text(pattern: str, text: str) -> None:
    assert "".join(split_words(text, pattern)) == text


@pytest.mark.parametrize(
    ("data", "label"),
    [
        (b" a b", "·a·b"),
        (b"\t", "→"),
        ("中".encode(), "中"),
        ("中".encode()[1:], "<B8><AD>"),
        (b"\x01", "<01>"),
        ("\u00a0".encode(), "<A0>"),
    ],
)
def test_labels_show_everything(data: bytes, label: str) -> None:
    assert readable(data) == label


@pytest.mark.parametrize("pattern", ["a", "a*", "(a)|b", "x"])
def test_what_a_pattern_leaves_out_is_a_word_too(pattern: str) -> None:
    words = split_words("aab\nb", pattern)
    assert "".join(words) == "aab\nb" and "" not in words
    assert split_words("aab\nb", "(a)|b") == ["a", "a", "b", "\n", "b"]
