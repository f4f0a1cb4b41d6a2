"""The Unigram tokenizer against SentencePiece with the same model, and its round trip."""

import random
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.tokenizers.base import Tokenizer
from llm_course.tokenizers.byte_fallback import BYTE_TOKENS
from llm_course.tokenizers.metaspace import Preparation
from llm_course.tokenizers.unigram import Unigram
from tests.tokenizers.unigram_references import lines_of, same_model, sentencepiece_model

UNICODE = st.text(st.characters(exclude_categories=("Cs",)))
PIECES = [
    ("<unk>", 0.0),
    ("<end>", 0.0),
    *((token, 0.0) for token in BYTE_TOKENS),
    *((piece, -1.0 - len(piece) / 2) for piece in ["▁", "a", "b", "▁a", "ab", "é", "<", "aab"]),
]


@pytest.fixture(scope="module")
def lossless() -> Unigram:
    return Unigram(PIECES, ["<unk>", "<end>"], byte_fallback=True)


@pytest.fixture(scope="module", params=["stories", "code", "bytes"])
def pair(request):
    corpus = "stories" if request.param == "stories" else "code"
    options = {"byte_fallback": True} if request.param == "bytes" else {}
    theirs = sentencepiece_model(corpus, 600 if corpus == "stories" else 1_200, **options)
    return theirs, same_model(theirs)


def varied(seed: int, n: int) -> list[str]:
    """Lines of both corpora, shuffled characters of them, runs, and characters of no piece."""
    rng = random.Random(seed)
    lines = [line for corpus in ("stories", "code") for line in lines_of(corpus, 100_000)]
    made = rng.sample(lines, n)
    made += ["".join(rng.sample(line, len(line))) for line in made]
    made += ["".join(rng.choices("aeorst ", k=rng.randint(1, 80))) for _ in range(n)]
    made += [rng.choice("aelo 1,") * rng.randint(1, 200) for _ in range(50)]
    return [
        *made,
        "",
        " ",
        "  a  ",
        "日本語 テキスト 😀😀 é e\u0301 שלום\u200d",
        "a😀b ﬁ Ａ～\t\n.",
    ]


def test_it_is_a_tokenizer(lossless):
    assert isinstance(lossless, Tokenizer)
    assert len(lossless) == len(PIECES)


def test_ids_are_sentencepieces(pair):
    theirs, ours = pair
    texts = varied(0, 400)
    assert [text for text in texts if ours.encode(text) != theirs.encode(text)] == []


@settings(deadline=None, max_examples=150)
@given(text=st.text(st.sampled_from("aehst .,()=_01é日😀▁") | st.characters(codec="latin-1")))
def test_ids_are_sentencepieces_on_made_texts(pair, text):
    theirs, ours = pair
    assert ours.encode(text) == theirs.encode(text)


def test_the_comparison_would_notice_another_rule(pair):
    theirs, ours = pair
    texts = varied(1, 200)
    assert len([text for text in texts if greedy(ours, text) != theirs.encode(text)]) > 20


def greedy(tokenizer: Unigram, text: str) -> list[int]:
    """The longest piece at each place: a wrong rule that is often right."""
    marked, ids = tokenizer.prepare(text), []
    while marked:
        length = max(
            (n for n in range(1, len(marked) + 1) if marked[:n] in tokenizer.vocabulary), default=0
        )
        ids.append(tokenizer.vocabulary[marked[:length]] if length else -1)
        marked = marked[max(length, 1) :]
    return ids


def test_decoded_texts_are_sentencepieces(pair):
    theirs, ours = pair
    for text in varied(2, 100):
        ids = theirs.encode(text)
        if not any(map(theirs.is_unknown, ids)):  # It writes those as " ⁇ ".
            assert ours.decode(ids) == theirs.decode(ids)


def test_n_best_are_sentencepieces(pair):
    theirs, ours = pair
    for text in lines_of("stories", 100_000)[:40]:
        text = text[:40]
        expected = theirs.nbest_encode(text, nbest_size=8)
        found = ours.encode_n_best(text, 40)
        assert found[0][0] == expected[0] == ours.encode(text)
        assert {tuple(ids) for ids in expected} <= {tuple(ids) for ids, _ in found}


def test_the_forward_sum_is_sentencepieces_as_its_samples_show(pair):
    # p(best | text) = p(best) / p(text), estimated from SentencePiece's own samples.
    theirs, ours = pair
    text, n = "the tests", 4_000
    counts = Counter(tuple(theirs.encode(text, enable_sampling=True, alpha=1.0)) for _ in range(n))
    ids, score = ours.encode_n_best(text, 1)[0]
    share = torch.tensor(score - ours.log_likelihood(text)).exp().item()
    error = (share * (1 - share) / n) ** 0.5
    assert abs(counts[tuple(ids)] / n - share) < 5 * error + 1e-3


def test_words_in_float64_differ_only_in_ties(pair):
    theirs, ours = pair
    double = Unigram(
        ours.pieces,
        ours.special_tokens,
        byte_fallback=ours.byte_fallback,
        prepare=ours.prepare,
        keep_marks=False,
    )
    differ = [text for text in varied(3, 300) if double.encode(text) != theirs.encode(text)]
    assert len(differ) <= 5  # ties that rounding decides


@given(UNICODE)
def test_any_text_comes_back(lossless, text):
    assert lossless.decode(lossless.encode(text)) == text


@given(st.text("▁ a<end>é\0\u2581"))
def test_texts_of_marks_and_spaces_come_back(lossless, text):
    for allow in (False, True):
        assert lossless.decode(lossless.encode(text, allow_special=allow)) == text


@given(UNICODE, st.sampled_from([0.0, 0.5, 5.0]))
def test_any_sample_comes_back(lossless, text, alpha):
    ids = lossless.encode_sample(text, torch.Generator().manual_seed(1), alpha)
    assert lossless.decode(ids) == text


@given(st.binary(max_size=12))
def test_bytes_that_are_no_utf8_become_replacement_characters(lossless, data):
    ids = [lossless.vocabulary[BYTE_TOKENS[byte]] for byte in data]
    assert lossless.decode(ids) == data.decode(errors="replace")


def test_samples_vary_and_repeat_with_the_seed(lossless):
    drawn = [
        tuple(lossless.encode_sample("aab aab", torch.Generator().manual_seed(seed), 0.1))
        for seed in (0, 0, 1, 2, 3)
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


def test_special_tokens_are_text_unless_allowed(lossless):
    text, end = "a<end>b", lossless.vocabulary["<end>"]
    assert end not in lossless.encode(text)
    ids = lossless.encode(text, allow_special=True)
    assert ids.count(end) == 1
    assert lossless.decode(ids) == text
    assert lossless.decode(ids, skip_special=True) == "ab"
    assert lossless.tokens("a<end>", allow_special=["<end>"]) == ["▁a", "<end>"]


def test_unknown_characters_in_a_row_are_one_unknown():
    tokenizer = Unigram([("<unk>", 0.0), ("▁", -1.0), ("a", -1.0)], ["<unk>"])
    assert tokenizer.tokens("xya") == ["▁", "<unk>", "a"]
    assert tokenizer.decode(tokenizer.encode("xy a")) == "<unk> a"
    assert tokenizer.decode(tokenizer.encode("xy a"), skip_special=True) == " a"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pieces": [("<unk>", 0.0), ("a", 0.0), ("a", 0.0)]}, "each token once"),
        ({"special_tokens": ["<end>"]}, r"special_tokens: expected tokens of the vocabulary"),
        ({"byte_fallback": True}, r"expected all 256 byte tokens, got none for <0x00>"),
        ({"unknown": "a"}, r"unknown: expected one of special_tokens, got 'a'"),
        ({"pieces": [("<unk>", 0.0)]}, "expected at least one with a score"),
        ({"pieces": [("<unk>", 0.0), ("a", float("nan"))]}, "all finite"),
        ({"arithmetic": "float16"}, "arithmetic: expected float64 or float32"),
    ],
)
def test_parts_that_do_not_fit_are_refused(arguments, message):
    usual = {"pieces": [("<unk>", 0.0), ("▁", -1.0), ("a", -1.0)], "special_tokens": ["<unk>"]}
    with pytest.raises(ValueError, match=message):
        Unigram(**usual | arguments)


def test_without_a_piece_for_spaces_marks_cannot_be_kept():
    with pytest.raises(ValueError, match="expected '▁' among them"):
        Unigram([p for p in PIECES if p[0] != "▁"], ["<unk>"], byte_fallback=True)


def test_bad_input_is_named(lossless):
    with pytest.raises(ValueError, match=r"allow_special: expected special tokens .*<x>"):
        lossless.encode("a", allow_special=["<x>"])
    with pytest.raises(ValueError, match="half of a surrogate pair"):
        lossless.encode("a\ud800")
    for token_id in (-1, len(lossless)):
        with pytest.raises(ValueError, match=f"id: expected one of the .*got {token_id}"):
            lossless.decode([token_id])


def test_a_long_word_is_encoded(lossless):
    assert lossless.decode(lossless.encode("ab" * 20_000)) == "ab" * 20_000


def test_without_a_prefix():
    tokenizer = Unigram(PIECES, ["<unk>"], byte_fallback=True, prepare=Preparation(prefix="never"))
    assert tokenizer.tokens("a b") == ["a", "▁", "b"]
    assert tokenizer.decode(tokenizer.encode(" a")) == " a"
