"""WordPiece's training against brute force: each merge tried, each likelihood from scratch."""

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.tokenizers.wordpiece_training import (
    SCORES,
    learn_pieces,
    train_wordpiece,
)

Words = dict[str, list[str]]


def merged(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    for piece in pieces:
        # A piece that was just made is no half: `aaa` becomes `aa a`, and no further.
        if out and (out[-1], piece) == pair:
            out[-1] = (pair[0] + pair[1].removeprefix("##"),)  # Marked as made.
        else:
            out.append(piece)
    return [piece[0] if isinstance(piece, tuple) else piece for piece in out]


def log_likelihood(words: Words, counts: Counter[str]) -> float:
    tokens: Counter[str] = Counter()
    for word, pieces in words.items():
        for piece in pieces:
            tokens[piece] += counts[word]
    total = sum(tokens.values())
    return sum(n * math.log(n / total) for n in tokens.values())


def start(counts: Counter[str]) -> tuple[Words, dict[str, int]]:
    words = {word: [word[0], *("##" + c for c in word[1:])] for word in counts}
    letters = sorted({piece for pieces in words.values() for piece in pieces})
    return words, {letter: token_id for token_id, letter in enumerate(letters)}


def pairs_of(words: Words) -> set[tuple[str, str]]:
    return {pair for pieces in words.values() for pair in pairwise(pieces)}


def gains(words: Words, counts: Counter[str]) -> dict[tuple[str, str], float]:
    """By how much each merge raises the likelihood, everything counted anew."""
    before = log_likelihood(words, counts)
    return {
        pair: log_likelihood({w: merged(p, pair) for w, p in words.items()}, counts) - before
        for pair in pairs_of(words)
    }


CORPUS = Counter(
    ["hug"] * 3
    + ["pug"] * 2
    + ["pun"] * 2
    + ["hugs"] * 2
    + ["bun", "aaa", "aaaa"]
    + ["banana", "ananas", "nab"]
)


def check_likelihood(counts: Counter[str], steps: int) -> int:
    words, vocabulary = start(counts)
    done = 0
    learner = learn_pieces(counts, vocabulary, "likelihood")
    for _ in range(steps):
        expected = gains(words, counts)
        step = next(learner, None)
        if step is None:
            assert max(expected.values(), default=0) < 1e-9
            break
        pair = step.left, step.right
        assert step.gain == pytest.approx(expected[pair], abs=1e-9)
        assert expected[pair] == pytest.approx(max(expected.values()), abs=1e-9)
        words = {word: merged(pieces, pair) for word, pieces in words.items()}
        assert step.left + step.right.removeprefix("##") in vocabulary
        done += 1
    return done


def test_each_merge_is_the_likeliest() -> None:
    assert check_likelihood(CORPUS, 30) >= 15


@given(st.lists(st.text("ab", min_size=1, max_size=7), min_size=1, max_size=8))
@settings(deadline=None)
def test_each_merge_is_the_likeliest_in_any_corpus(words: list[str]) -> None:
    """Two letters give runs, which merge with themselves, and tokens that two merges make."""
    check_likelihood(Counter(words), 12)


@given(st.lists(st.text("abc", min_size=1, max_size=7), min_size=1, max_size=8))
@settings(deadline=None)
def test_each_merge_has_the_highest_common_score(texts: list[str]) -> None:
    counts = Counter(texts)
    words, vocabulary = start(counts)
    for step in learn_pieces(counts, vocabulary, "score"):
        tokens: Counter[str] = Counter()
        for word, pieces in words.items():
            for piece in pieces:
                tokens[piece] += counts[word]
        scores = {}
        for pair in pairs_of(words):
            times = sum(
                counts[word] * (len(pieces) - len(merged(pieces, pair)))
                for word, pieces in words.items()
            )
            scores[pair] = times / (tokens[pair[0]] * tokens[pair[1]])
        pair = step.left, step.right
        assert step.gain == pytest.approx(scores[pair]) == pytest.approx(max(scores.values()))
        words = {word: merged(pieces, pair) for word, pieces in words.items()}
    assert pairs_of(words) == set(), "it goes on until every word is one token"


def test_the_two_differ_as_the_lesson_says(corpus) -> None:
    """Equal vocabularies: the likelihood's fits the corpus better and cuts it into fewer pieces."""
    texts = corpus("wiki_en", 60_000)
    by = {score: train_wordpiece(texts, 700, score=score) for score in SCORES}
    sizes = {score: len(tokenizer) for score, tokenizer in by.items()}
    assert sizes == {"likelihood": 700, "score": 700}
    pieces = {s: sum(len(t.encode(text)) for text in texts) for s, t in by.items()}
    assert pieces["likelihood"] < 0.8 * pieces["score"]
    assert "the" in by["likelihood"].vocabulary and "the" not in by["score"].vocabulary


def test_equals_are_decided_by_count_then_ids() -> None:
    vocabulary = {"a": 0, "##b": 1, "c": 2, "##d": 3}
    step = next(learn_pieces({"ab": 2, "cd": 2}, vocabulary, "score"))
    assert step[:3] == ("a", "##b", 2)


def test_the_vocabulary_begins_with_special_tokens_and_characters() -> None:
    tokenizer = train_wordpiece(["ba ab"], 10, special_tokens=["[UNK]", "<s>"])
    assert list(tokenizer.vocabulary)[:6] == ["[UNK]", "<s>", "##a", "##b", "a", "b"]
    assert tokenizer.encode("ab ba") != tokenizer.encode("ba ab")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"texts": [], "vocab_size": 30}, ValueError, "got none"),
        ({"texts": [" \n\x00"], "vocab_size": 30}, ValueError, "got none"),
        ({"texts": ["abc"], "vocab_size": 7}, ValueError, "at least 8 .3 characters and 5"),
        ({"texts": ["abc"], "vocab_size": 9, "score": "pmi"}, ValueError, "got 'pmi'"),
        ({"texts": "abc", "vocab_size": 9}, TypeError, "one str"),
        (
            {"texts": ["abc"], "vocab_size": 9, "special_tokens": ["<s>"]},
            ValueError,
            r"expected \[UNK\]",
        ),
    ],
)
def test_bad_input_is_named(arguments: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        train_wordpiece(**arguments)
