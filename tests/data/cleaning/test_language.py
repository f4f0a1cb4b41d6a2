"""Language identification: against a slow naive Bayes, and held-out accuracy on real text."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.cleaning.language import (
    CORPUS_OF,
    UNKNOWN,
    character_runs,
    encyclopedia_identifier,
    language_filter,
    train_identifier,
)
from llm_course.data.corpora import load
from llm_course.data.documents import Document
from llm_course.data.hashing import character_codes, run_hashes
from llm_course.data.stages import Kept, Removed

N_BUCKETS = 5000
TEXTS = {"en": ["the house is big", "a cat"], "fr": ["la maison est grande", "un chat"]}


@pytest.fixture(scope="module")
def identifier():
    """Learned from every eighth summary of each language."""
    return encyclopedia_identifier(every=8)


def slow_runs(text):
    words = text.casefold().split()
    line = f" {' '.join(words)} " if words else ""
    runs = [line[i : i + n] for n in (1, 2, 3) for i in range(len(line) - n + 1)]
    return [int(run_hashes(character_codes(run), len(run))[0]) % N_BUCKETS for run in runs]


@given(st.text(st.characters() | st.sampled_from("the maison ")))
def test_probabilities_against_a_slow_naive_bayes(text):
    scores = {}
    for code, examples in TEXTS.items():
        counts = Counter(run for example in examples for run in slow_runs(example))
        total = counts.total() + 0.1 * N_BUCKETS
        scores[code] = sum(math.log((counts[run] + 0.1) / total) for run in slow_runs(text))
    scores[UNKNOWN] = -len(slow_runs(text)) * math.log(N_BUCKETS)
    top = max(scores.values())
    whole = sum(math.exp(score - top) for score in scores.values())
    found = train_identifier(TEXTS, n_buckets=N_BUCKETS).probabilities(text)
    if not text.split():
        assert found == {"en": 0.0, "fr": 0.0, UNKNOWN: 1.0}
        return
    for code, score in scores.items():
        assert found[code] == pytest.approx(math.exp(score - top) / whole, abs=1e-4)


@given(st.text(st.characters()))
def test_runs_against_substrings(text):
    assert character_runs(text, N_BUCKETS).tolist() == slow_runs(text)


@pytest.mark.parametrize(("length", "least"), [(None, 0.998), (100, 0.99), (50, 0.98), (20, 0.9)])
def test_accuracy_held_out(identifier, length, least):
    """Each language by itself. Excerpts are from the middle: a summary begins with a name."""
    for code, name in CORPUS_OF.items():
        texts = [document.text for document in load(name)[4::8]]
        middles = [text[len(text) // 2 :][:length] if length else text for text in texts]
        right = sum(identifier.identify(text) == code for text in middles)
        print(length, code, right / len(texts))
        assert right / len(texts) >= least, code


def test_another_script_is_unknown(identifier):
    for name in ("chatterbot_zh", "chatterbot_uk", "chatterbot_fa"):
        texts = [document.text for document in load(name)]
        assert sum(identifier.identify(text) == UNKNOWN for text in texts) >= 0.95 * len(texts)


def test_the_filter_keeps_order_and_says_what_it_found(identifier):
    texts = ["The city lies on the river.", "La ville se trouve au bord du fleuve.", " "]
    found = [Document(id=f"demo/{i}", text=text, corpus="demo") for i, text in enumerate(texts)]
    outcomes = list(language_filter(identifier, keep=["en"])(found))
    assert [outcome.document for outcome in outcomes] == found
    assert isinstance(outcomes[0], Kept)
    assert [outcome.reason for outcome in outcomes[1:]] == ["language fr", "language unknown"]
    both = language_filter(identifier, keep=["en", "fr"])(found)
    assert [isinstance(outcome, Removed) for outcome in both] == [False, False, True]


@pytest.mark.parametrize(
    ("texts", "settings", "message"),
    [
        ({}, {}, "texts: expected languages"),
        ({UNKNOWN: ["a"]}, {}, "none called unknown"),
        ({"en": ["a"], "fr": [" "]}, {}, r"texts\['fr'\]: expected some text, got none"),
        (TEXTS, {"smoothing": 0}, "smoothing, n_buckets: expected both above 0"),
        (TEXTS, {"n_buckets": 0}, "smoothing, n_buckets: expected both above 0"),
    ],
)
def test_wrong_input(texts, settings, message):
    with pytest.raises(ValueError, match=message):
        train_identifier(texts, **settings)


def test_every_eighth_is_at_least_every_first():
    with pytest.raises(ValueError, match="every: expected at least 1, got 0"):
        encyclopedia_identifier(every=0)


def test_a_filter_for_a_language_that_was_not_learned():
    with pytest.raises(ValueError, match=r"expected some of .*'fr', 'unknown'.*, got \['de'\]"):
        language_filter(train_identifier(TEXTS), keep=["de"])
