"""The perplexity filter: its bounds, and how well it tells clean text from spoiled, held out."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.cleaning.byte_model import ByteModel
from llm_course.data.cleaning.measures import auc
from llm_course.data.cleaning.perplexity import perplexity_filter, quantile_bounds
from llm_course.data.cleaning.spoiled import boilerplate, shuffled
from llm_course.data.corpora import load
from llm_course.data.documents import Document
from llm_course.data.stages import Kept, Removed

N = 300


def documents(texts):
    return [Document(id=f"demo/{i}", text=text, corpus="demo") for i, text in enumerate(texts)]


@pytest.fixture(scope="module")
def summaries():
    """2,000 to learn from and N held out, both from all over the encyclopedia."""
    texts = [document.text for document in load("wiki_en")]
    return texts[0::4][:2000] + texts[2::4][: 8 * N : 8]


@pytest.fixture(scope="module")
def score(summaries):
    """A model of 2,000 summaries; the last N are held out."""
    return ByteModel(summaries[:2000]).perplexity


def test_clean_text_is_told_from_spoiled_text(summaries, score):
    clean = [score(text) for text in summaries[2000:]]
    mixed = [score(shuffled(text, i)) for i, text in enumerate(summaries[2000:])]
    frame = [score(boilerplate(i, split="held_out")) for i in range(N)]
    letters = [score(text[::-1]) for text in summaries[2000:]]
    assert auc(mixed, clean) > 0.92
    assert auc(frame, clean) > 0.99
    assert auc(letters, clean) > 0.99
    # A scorer that does not look, the length, tells nothing of shuffled text.
    lengths = [len(text.split()) for text in summaries[2000:]]
    assert auc(lengths, lengths) == 0.5


def test_bounds_from_a_reference_remove_its_tail_and_most_of_the_spoiled(summaries, score):
    _, high = quantile_bounds(score, summaries[2000 : 2000 + N // 2], high=0.95)
    stage = perplexity_filter(score, high=high)
    held_out = summaries[2000 + N // 2 :]
    clean = list(stage(documents(held_out)))
    assert sum(isinstance(outcome, Kept) for outcome in clean) >= 0.85 * len(held_out)
    spoiled = list(stage(documents([boilerplate(i, split="held_out") for i in range(100)])))
    assert sum(isinstance(outcome, Removed) for outcome in spoiled) >= 95
    assert {outcome.reason for outcome in spoiled if isinstance(outcome, Removed)} == {
        "perplexity too high"
    }


@given(st.lists(st.floats(min_value=1) | st.sampled_from([math.inf, math.nan])))
def test_what_is_kept_lies_between_the_bounds_in_order(scores):
    found = documents([str(score) for score in scores])
    outcomes = list(perplexity_filter(float, low=2, high=100)(found))
    assert [outcome.document for outcome in outcomes] == found
    for score, outcome in zip(scores, outcomes, strict=True):
        if 2 <= score <= 100:
            assert isinstance(outcome, Kept)
        else:
            too = "low" if score < 2 else "high"
            assert isinstance(outcome, Removed) and outcome.reason == f"perplexity too {too}"


@given(st.lists(st.text(st.characters())))
def test_any_text_is_judged(texts):
    stage = perplexity_filter(ByteModel(["some text"]).perplexity)
    kept = [isinstance(outcome, Kept) for outcome in stage(documents(texts))]
    assert kept == [bool(text) for text in texts]


def test_wrong_bounds():
    with pytest.raises(ValueError, match="expected low ≤ high, got 3 and 2"):
        perplexity_filter(len, low=3, high=2)
    with pytest.raises(ValueError, match="expected 0 ≤ low < high ≤ 1"):
        quantile_bounds(len, ["a"], low=0.5, high=0.5)
    with pytest.raises(ValueError, match="expected some texts as a reference, got none"):
        quantile_bounds(len, [])
