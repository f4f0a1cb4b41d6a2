"""Byte-level BPE against Hugging Face's Rust tokenizers, built here from the same tables."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from llm_course.pretrained.gguf import open_gguf
from llm_course.pretrained.gguf_tokenizer import TokenizerTables, build_tokenizer, gguf_tokenizer
from llm_course.pretrained.smollm2 import smollm2_file
from llm_course.tokenizers import bpe
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.byte_level import GPT2_SPLIT, byte_characters

END = "<|im_end|>"
BYTES = {character: byte for byte, character in enumerate(byte_characters())}


@pytest.fixture(scope="module")
def tables() -> TokenizerTables:
    return gguf_tokenizer(open_gguf(smollm2_file()))


@pytest.fixture(scope="module")
def smollm2_tokenizer(tables: TokenizerTables) -> ByteLevelBPE:
    return build_tokenizer(tables)


def reference(tables: TokenizerTables, digits: bool, special: bool) -> Tokenizer:
    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: i for i, token in enumerate(tables.tokens)},
            merges=[tuple(merge.split(" ")) for merge in tables.merges],
        )
    )
    steps = [pre_tokenizers.Digits(individual_digits=True)] if digits else []
    steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    if special:
        tokenizer.add_special_tokens(tables.special_tokens)
    return tokenizer


def disagreements(
    ours: ByteLevelBPE, theirs: Tokenizer, special: bool, strings: list[str]
) -> list[str]:
    expected = theirs.encode_batch(strings, add_special_tokens=False)
    return [
        text
        for text, encoding in zip(strings, expected, strict=True)
        if ours.encode(text, allow_special=special) != encoding.ids
    ]


@pytest.mark.parametrize("special", [True, False])
def test_ids_are_the_references_with_smollm_split(
    tables: TokenizerTables,
    smollm2_tokenizer: ByteLevelBPE,
    special: bool,
    varied_strings: list[str],
) -> None:
    theirs = reference(tables, digits=True, special=special)
    assert disagreements(smollm2_tokenizer, theirs, special, varied_strings[:2_000]) == []


def test_ids_are_the_references_with_gpt2_split(
    tables: TokenizerTables, varied_strings: list[str]
) -> None:
    ours = ByteLevelBPE(
        {token: i for i, token in enumerate(tables.tokens)},
        [tuple(merge.split(" ")) for merge in tables.merges],
        pre_split=GPT2_SPLIT,
        missing_bytes="drop",
    )
    theirs = reference(tables, digits=False, special=False)
    assert disagreements(ours, theirs, False, varied_strings[:2_000]) == []


def test_the_comparison_would_notice_the_other_split(
    tables: TokenizerTables, smollm2_tokenizer: ByteLevelBPE, varied_strings: list[str]
) -> None:
    theirs = reference(tables, digits=False, special=True)
    assert disagreements(smollm2_tokenizer, theirs, True, varied_strings[:2_000])


def test_smollm2_comes_back_but_for_its_21_missing_bytes(
    smollm2_tokenizer: ByteLevelBPE, varied_strings: list[str]
) -> None:
    for text in varied_strings[:1_000]:
        kept = b"".join(
            bytes([byte])
            for byte in text.encode()
            if byte_characters()[byte] in smollm2_tokenizer.vocabulary
        )
        decoded = smollm2_tokenizer.decode(smollm2_tokenizer.encode(text, allow_special=True))
        assert decoded == kept.decode(errors="replace")
    missing = [c for c in byte_characters() if c not in smollm2_tokenizer.vocabulary]
    assert len(missing) == 21


COMPLETE = ByteLevelBPE(
    BYTES | {"Ġt": 256, "he": 257, "Ġthe": 258, "ĠÐ": 259, "<end>": 260},
    [("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("Ġ", "Ð")],
    special_tokens=["<end>"],
)


@given(st.text(), st.booleans())
def test_any_text_comes_back(text: str, special: bool) -> None:
    assert COMPLETE.decode(COMPLETE.encode(text, allow_special=special)) == text


@given(st.binary())
def test_any_bytes_come_back(data: bytes) -> None:
    assert COMPLETE.decode_bytes(COMPLETE.encode_bytes(data)) == data


@given(st.text())
def test_the_bytes_of_a_text_have_its_ids(text: str) -> None:
    assert COMPLETE.encode_bytes(text.encode()) == COMPLETE.encode(text)


def test_a_byte_outside_utf8_is_one_token_and_shown() -> None:
    ids = COMPLETE.encode_bytes(b" the\xff the")
    assert ids == [258, 0xFF, 258]
    assert COMPLETE.decode(ids) == " the\ufffd the"


def test_texts_seen_before_keep_their_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = ByteLevelBPE(COMPLETE.vocabulary, COMPLETE.merges)
    monkeypatch.setattr(bpe, "_REMEMBERED", 3)
    for text in ("the a the b the c the d", "the d the a" * 9, "x" * 500):
        assert [tokenizer.encode(text) for _ in range(2)] == [COMPLETE.encode(text)] * 2
    assert len(tokenizer._chunk_ids) <= 3
    assert "x" * 500 not in tokenizer._word_ids


def test_another_pattern_is_followed_too() -> None:
    tokenizer = ByteLevelBPE(BYTES | {"aĠ": 256}, [("a", "Ġ")], pre_split=r".a |.+?")
    assert tokenizer.encode("aa a ") == [97, 256, 97, 32]  # "aa ", "a", " "


def test_special_tokens_are_text_unless_allowed(smollm2_tokenizer: ByteLevelBPE) -> None:
    text = f"a{END}<|im_start|>"
    closed = smollm2_tokenizer.encode(text)
    assert not {1, 2} & set(closed), "a special token was recognised though none was allowed"
    assert smollm2_tokenizer.decode(closed) == text
    some = smollm2_tokenizer.encode(text, allow_special=[END])
    assert 2 in some and 1 not in some
    assert smollm2_tokenizer.encode(text, allow_special=True)[1:] == [2, 1]
    assert smollm2_tokenizer.decode(some, skip_special=True) == "a<|im_start|>"


def test_the_longest_special_token_wins() -> None:
    tokenizer = ByteLevelBPE(
        BYTES | {"<a>": 256, "<a><b>": 257}, [], special_tokens=["<a>", "<a><b>"]
    )
    assert tokenizer.encode("<a><b><a>", allow_special=True) == [257, 256]


def test_decode_takes_a_tensor_and_shows_broken_characters() -> None:
    assert COMPLETE.decode(torch.tensor([258, 0xC3])) == " the\ufffd"
    assert COMPLETE.token_bytes(260) == b"<end>"
    assert len(COMPLETE) == 261


def test_tokens_are_labels() -> None:
    assert COMPLETE.tokens("a the\n<end>", allow_special=True) == ["a", "·the", "↵", "<end>"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vocabulary": {"a": 0, "b": 0}, "merges": []}, "got an id twice"),
        ({"vocabulary": {"a": 0}, "merges": [("a", "b")]}, "'b' in merge 0"),
        ({"vocabulary": {"中": 0}, "merges": []}, "got '中'"),
        ({"vocabulary": {"a": 0}, "merges": [], "special_tokens": ["<s>"]}, "<s>"),
        ({"vocabulary": {"a": 0}, "merges": [], "missing_bytes": "skip"}, "got 'skip'"),
    ],
)
def test_tables_that_do_not_fit_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ByteLevelBPE(**arguments)


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        COMPLETE.encode("a\ud800")
    with pytest.raises(ValueError, match="lacks byte 0x62"):
        ByteLevelBPE({"a": 0}, []).encode("ab")
    with pytest.raises(ValueError, match="got 999"):
        COMPLETE.decode([999])
    with pytest.raises(ValueError, match="'<pad>'"):
        COMPLETE.encode("a", allow_special=["<pad>"])
    with pytest.raises(TypeError):
        COMPLETE.decode([1.0])
