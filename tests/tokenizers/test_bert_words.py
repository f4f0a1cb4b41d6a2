"""BERT's words against Hugging Face's normaliser and pre-tokenizer, character by character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import normalizers, pre_tokenizers

from llm_course.tokenizers.bert_words import bert_words
from tests.tokenizers.bert_references import is_older


def reference(text: str, lowercase: bool) -> list[str]:
    normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    cleaned = normalizer.normalize_str(text)
    return [word for word, _ in pre_tokenizers.BertPreTokenizer().pre_tokenize_str(cleaned)]


@pytest.mark.slow
@pytest.mark.parametrize("lowercase", [True, False])
def test_every_character_that_both_know_is_treated_alike(lowercase: bool) -> None:
    """Theirs knows the categories of an early Unicode, ours those of the running Python."""
    everything = (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    known = [character for character in everything if is_older(character)]
    assert len(known) > 200_000
    for character in known:
        text = f"a{character}b"
        assert bert_words(text, lowercase) == reference(text, lowercase), hex(ord(character))


@pytest.mark.parametrize("lowercase", [True, False])
def test_the_first_characters_are_treated_alike(lowercase: bool) -> None:
    for character in filter(is_older, map(chr, range(0x3500))):
        text = f"a{character}b"
        assert bert_words(text, lowercase) == reference(text, lowercase), hex(ord(character))


@pytest.mark.parametrize("lowercase", [True, False])
def test_varied_strings(lowercase: bool, bert_strings: list[str]) -> None:
    for text in bert_strings:
        assert bert_words(text, lowercase) == reference(text, lowercase)


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize(
    "text", ["a😀b", "👍🏽!", "👩\u200d👩\u200d👧", "🇫🇷, 𝔘𝔫𝔦", "თბილისი", "x\U0010ffffy"]
)
def test_newer_characters_that_both_treat_alike(text: str, lowercase: bool) -> None:
    """Those of the varied strings' pieces that `is_older` takes out of `bert_strings`."""
    assert bert_words(text, lowercase) == reference(text, lowercase)


KNOWN = st.characters(codec="utf-8").filter(is_older)


@given(st.text(KNOWN), st.booleans())
def test_any_text(text: str, lowercase: bool) -> None:
    assert bert_words(text, lowercase) == reference(text, lowercase)


@given(st.text())
def test_words_are_words_again(text: str) -> None:
    words = bert_words(text)
    assert bert_words(" ".join(words)) == words


def test_what_is_lost() -> None:
    assert bert_words("HÉLLO\x00\ufffd  wörld!") == bert_words("hello\tworld !")
    assert bert_words("ΣΑΣ") == ["σασ"], "letters are made small one by one"
    assert bert_words("a\u200bb\xa0c") == ["ab", "c"]
    assert bert_words("") == []
