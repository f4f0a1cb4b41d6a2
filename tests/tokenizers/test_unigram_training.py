"""Training against SentencePiece's, and what it refuses."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from llm_course.tokenizers.metaspace import SENTENCEPIECE
from llm_course.tokenizers.unigram_training import maximise, train_unigram
from tests.tokenizers.unigram_references import (
    SPECIAL,
    lines_of,
    same_model,
    sentencepiece_model,
)

TEXTS = ["the low lower lowest newer newest wide wider widest", "a new low"] * 20


def trained(corpus: str, vocab_size: int, n_bytes: int, **options):
    return train_unigram(
        lines_of(corpus, n_bytes),
        vocab_size,
        special_tokens=SPECIAL,
        byte_fallback=False,
        prepare=SENTENCEPIECE,
        coverage=0.999,
        **options,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("corpus", "vocab_size", "n_bytes"), [("stories", 500, 200_000), ("code", 1_500, 500_000)]
)
def test_held_out_likelihood_is_sentencepieces_or_better(corpus, vocab_size, n_bytes):
    theirs = same_model(sentencepiece_model(corpus, vocab_size, n_bytes, character_coverage=0.999))
    ours = trained(corpus, vocab_size, n_bytes)
    assert len(ours) == len(theirs) == vocab_size
    known = {p for p in ours.vocabulary if len(p) == 1} & set(theirs.vocabulary)
    seen = set(lines_of(corpus, n_bytes))
    held_out = [
        line
        for line in lines_of(corpus, n_bytes + 50_000)
        if line not in seen and set(ours.prepare(line)) <= known
    ]
    assert sum(map(len, held_out)) > 20_000
    # Log-likelihoods are negative: a quotient above 1 is a worse model.
    expected = sum(map(theirs.log_likelihood, held_out))
    assert sum(map(ours.log_likelihood, held_out)) / expected <= 1.01


def test_that_margin_notices_a_worse_vocabulary():
    # All the pruning in one step, by losses that hold for a single piece's removal.
    careful, hasty = (trained("code", 1_500, 500_000, shrink=share) for share in (0.75, 1e-9))
    held_out = lines_of("code", 550_000)[-500:]
    found, expected = (sum(map(t.log_likelihood, held_out)) for t in (hasty, careful))
    assert found / expected > 1.01


@given(st.lists(st.floats(0.5, 1e9), min_size=1, max_size=9))
def test_the_maximisation_steps(counts):
    counts = np.array(counts)
    assert np.exp(maximise(counts, digamma=False)) == pytest.approx(counts / counts.sum())
    expected = special.digamma(counts) - special.digamma(counts.sum())
    assert maximise(counts) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_ids_are_special_tokens_then_bytes_then_pieces_by_probability():
    tokenizer = train_unigram(TEXTS, 280, special_tokens=["<unk>", "<end>"])
    assert len(tokenizer) == 280
    tokens = list(tokenizer.vocabulary)
    assert tokens[:3] == ["<unk>", "<end>", "<0x00>"]
    assert tokens[257] == "<0xFF>"
    scores = [score for _, score in tokenizer.pieces[258:]]
    assert scores == sorted(scores, reverse=True)
    assert sum(map(math.exp, scores)) <= 1 + 1e-9


def test_every_character_of_the_texts_has_a_piece():
    tokenizer = train_unigram(TEXTS, 20, byte_fallback=False, coverage=1.0)
    assert {c for text in TEXTS for c in text.replace(" ", "▁")} <= set(tokenizer.vocabulary)
    unknown = tokenizer.vocabulary["<unk>"]
    assert all(unknown not in tokenizer.encode(text) for text in TEXTS)


def test_training_twice_gives_the_same_pieces():
    first, second = (train_unigram(iter(TEXTS), 280).pieces for _ in range(2))
    assert first == second


def test_plain_em_is_a_choice():
    plain = train_unigram(TEXTS, 280, digamma=False)
    assert plain.pieces != train_unigram(TEXTS, 280).pieces
    assert plain.decode(plain.encode("the newest")) == "the newest"


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), min_size=1))
def test_any_corpus_is_learned_or_refused(texts):
    try:
        tokenizer = train_unigram(texts, 300)
    except ValueError as error:
        assert "Fix:" in str(error) or "expected some text" in str(error)
    else:
        assert all(tokenizer.decode(tokenizer.encode(text)) == text for text in texts)


@pytest.mark.parametrize(
    ("texts", "vocab_size", "message"),
    [
        ([], 300, "texts: expected some text to learn from"),
        (["  ", ""], 300, "texts: expected some text to learn from"),
        (TEXTS, 260, r"vocab_size: expected room for the 13 characters .* got 3 places"),
        (TEXTS, 10, r"vocab_size: expected room for the 13 characters .* got -247 places"),
        (TEXTS, 5_000, r"vocab_size: expected at most \d+ places for pieces"),
    ],
)
def test_what_cannot_be_learned_is_refused(texts, vocab_size, message):
    with pytest.raises(ValueError, match=message):
        train_unigram(texts, vocab_size)


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match=r"special_tokens: expected different .*'<unk>'"):
        train_unigram(TEXTS, 280, special_tokens=["<unk>", "<unk>"])
    with pytest.raises(ValueError, match=r"max_length: expected 1 to 16, got 17"):
        train_unigram(TEXTS, 280, max_length=17)
    with pytest.raises(ValueError, match=r"shrink: expected .* below 1, got 1"):
        train_unigram(TEXTS, 280, shrink=1.0)
    with pytest.raises(ValueError, match=r"coverage: expected .* got 0"):
        train_unigram(TEXTS, 280, coverage=0.0)
    with pytest.raises(TypeError, match=r"texts: expected several texts, got one str"):
        train_unigram("one text", 300)
