"""WordPiece against BERT's own vocabulary in Hugging Face's tokenizers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from llm_course.pretrained.minilm import minilm_directory
from llm_course.tokenizers.tokenizer_json import load
from llm_course.tokenizers.wordpiece import WordPiece, longest_pieces


@pytest.fixture(scope="module")
def ours() -> WordPiece:
    return load(minilm_directory() / "tokenizer.json")


@pytest.fixture(scope="module")
def theirs() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(minilm_directory() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def test_ids_are_berts(ours: WordPiece, theirs: Tokenizer, bert_strings: list[str], corpus) -> None:
    edges = ["x" * 99, "x" * 100, "x" * 101, "é" * 100, "a[MASK]b [SEP]", "[unused7] ##ing"]
    strings = [*edges, *bert_strings, *corpus("wiki_en", 300_000)]
    expected = theirs.encode_batch(strings, add_special_tokens=False)
    found = [ours.encode(text, allow_special=True) for text in strings]
    assert [e.ids for e in expected] == found
    for ids in found:
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=False)
    assert len(ours) == 30_522
    known = sum(100 not in ids for ids in found)
    assert known > 4_000, "many strings should hold no unknown word"


TINY = WordPiece({"[UNK]": 0, "a": 1, "##b": 2, "ab": 3, "##a": 4, "!": 5, "b": 6}, ["[UNK]"])


@given(st.text(alphabet="ab! AB\n"))
def test_decoded_text_has_the_same_ids(text: str) -> None:
    """Lossy: the text does not come back, but what it became does."""
    ids = TINY.encode(text)
    if 0 not in ids:
        assert TINY.encode(TINY.decode(ids)) == ids


@given(st.text(alphabet="abc", min_size=1, max_size=8), st.sets(st.text("abc", min_size=1)))
def test_each_piece_is_the_longest_that_fits(word: str, texts: set[str]) -> None:
    vocabulary = {"a", "##b", *texts, *("##" + text for text in texts)}
    pieces = longest_pieces(word, vocabulary, longest=10)
    rest, prefix, expected = word, "", []
    while rest:
        fitting = [p for p in vocabulary if p.startswith(prefix) and len(p) > len(prefix)]
        fitting = [p for p in fitting if rest.startswith(p[len(prefix) :])]
        if not prefix:
            fitting = [p for p in fitting if not p.startswith("##")]
        if not fitting:
            expected = None
            break
        expected.append(max(fitting, key=len))
        rest, prefix = rest[len(expected[-1]) - len(prefix) :], "##"
    assert pieces == expected


@given(st.text())
def test_any_text_has_ids(text: str) -> None:
    assert all(0 <= token_id < 7 for token_id in TINY.encode(text, allow_special=True))


def test_it_is_lossy() -> None:
    assert TINY.decode(TINY.encode("A\n\nBB! zz")) == "a bb! [UNK]"
    assert TINY.encode("ab") == TINY.encode(" ÁB\x00 ")


def test_bytes_that_are_no_text_are_dropped() -> None:
    assert TINY.encode_bytes(b"a\xff a") == TINY.encode("a a")


def test_decode_takes_a_tensor_and_leaves_special_tokens_out() -> None:
    assert TINY.decode(torch.tensor([3, 4, 5])) == "aba!"
    assert TINY.decode([0, 3, 0], skip_special=True) == "ab"
    assert TINY.tokens("abb zz") == ["ab", "##b", "[UNK]"]


def test_special_tokens_are_text_unless_allowed() -> None:
    assert TINY.encode("[UNK]", allow_special=True) == [0]
    assert TINY.encode("a[UNK]")[0] == 1 and len(TINY.encode("a[UNK]")) == 4
    with pytest.raises(ValueError, match=r"allow_special: expected .*\[UNK\].*got \['<s>'\]"):
        TINY.encode("a", allow_special=["<s>"])


@pytest.mark.parametrize(
    ("vocabulary", "special", "message"),
    [
        ({"a": 0}, ["[UNK]"], r"got \['\[UNK\]'\]"),
        ({"a": 0, "<s>": 1}, ["<s>"], r"expected \[UNK\] among them"),
        ({"[UNK]": 0, "a": 0}, ["[UNK]"], "id twice"),
    ],
)
def test_tables_that_do_not_fit_are_refused(vocabulary: dict, special: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WordPiece(vocabulary, special)


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(ValueError, match="got 99"):
        TINY.decode([99])
