"""The normaliser against SentencePiece's own and Hugging Face's, and the marks."""

import sys
import unicodedata

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import normalizers

from llm_course.tokenizers.metaspace import (
    Preparation,
    nmt_nfkc,
    nmt_then_nfkc,
    split_marks,
)

KNOWN = [
    chr(code)
    for code in range(1, sys.maxunicode + 1)
    if unicodedata.category(chr(code)) not in ("Cn", "Cs")
]


@pytest.fixture(scope="module")
def theirs() -> sentencepiece.SentencePieceNormalizer:
    return sentencepiece.SentencePieceNormalizer(
        rule_name="nmt_nfkc",
        add_dummy_prefix=False,
        escape_whitespaces=False,
        remove_extra_whitespaces=False,
    )


def test_each_character_is_normalised_as_by_sentencepiece(theirs):
    differ = [c for c in KNOWN if nmt_nfkc(f"a{c}b") != theirs.normalize(f"a{c}b")]
    assert differ == ["\u0344"]


def test_each_character_is_normalised_as_by_hugging_face():
    nfkc = normalizers.NFKC()
    reference = normalizers.Sequence([normalizers.Nmt(), nfkc])
    differ = [c for c in KNOWN if nmt_then_nfkc(f"a{c}b") != reference.normalize_str(f"a{c}b")]
    # Its NFKC knows an older Unicode: the characters that came since stay as they are.
    assert len(differ) < 100
    assert all(nfkc.normalize_str(c) == c != unicodedata.normalize("NFKC", c) for c in differ)


@given(st.text("ab \u3000\t\u200d～ﬁＡé"))
def test_texts_are_prepared_as_by_sentencepiece(text):
    reference = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc")
    ours = Preparation(normalizer="nmt_nfkc", spaces="all")
    assert ours(text) == reference.normalize(text)


@given(st.text("a▁ "), st.sampled_from(["always", "missing", "never"]))
def test_words_joined_are_the_text(text, prefix):
    marked = Preparation(prefix=prefix)(text)
    words = split_marks(marked)
    assert "".join(words) == marked
    assert all(words)
    assert all("▁" not in word[1:] for word in words)


def test_an_unknown_choice_is_named():
    with pytest.raises(ValueError, match=r"spaces: expected keep or runs or all, got 'none'"):
        Preparation(spaces="none")
