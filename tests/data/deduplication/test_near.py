"""Near-duplicates in a stream: planted ones are found, false positives counted, memory bounded."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from llm_course.data.corpora import load
from llm_course.data.deduplication.bands import candidate_probability
from llm_course.data.deduplication.minhash import MinHash
from llm_course.data.deduplication.near import (
    NearIndex,
    near_duplicates,
    near_duplicates_bounded,
)
from llm_course.data.deduplication.planted import plant
from llm_course.data.deduplication.seen import BloomFilter
from llm_course.data.documents import Document
from llm_course.data.stages import Kept, Removed

STAGES = {
    "compared": near_duplicates,
    "candidates": lambda **options: near_duplicates(least=0, **options),
    "bounded": lambda **options: near_duplicates_bounded(20_000, **options),
}


@pytest.fixture(scope="module")
def articles():
    """Encyclopedia summaries of 40 to 90 words: no two of them resemble each other."""
    found = [document for document in load("wiki_en") if 40 <= len(document.text.split()) <= 90]
    return found[:2000]


@pytest.fixture(scope="module")
def planted(articles):
    """Edited copies with J from 0.8 to 1."""
    return plant(articles, 600, least=0.8)


def removed(stage, documents):
    outcomes = list(stage(documents))
    assert [outcome.document for outcome in outcomes] == list(documents)
    return {outcome.document.id for outcome in outcomes if isinstance(outcome, Removed)}


@pytest.mark.parametrize("name", STAGES)
def test_planted_near_duplicates_are_found(articles, planted, name):
    copies = {one.copy.id for one in planted}
    found = removed(STAGES[name](bands=20, rows=5), [*articles, *(one.copy for one in planted)])
    recall, n_false = len(found & copies) / len(copies), len(found - copies)
    assert recall >= 0.99
    assert n_false == 0, "of 2,000 articles that resemble no other"


def test_false_positives_are_those_of_the_curve_and_comparing_takes_them_away(articles):
    """Copies with J from 0.3 to 0.6 are no duplicates: how many are removed nevertheless?"""
    planted = plant(articles, 250, least=0.3, most=0.6)
    copies = {one.copy.id for one in planted}
    documents = [*articles, *(one.copy for one in planted)]
    expected = sum(candidate_probability(one.jaccard, 20, 5) for one in planted) / len(planted)
    assert 0.2 < expected < 0.5
    for name in ("candidates", "bounded"):
        n_false = len(removed(STAGES[name](), documents) & copies)
        assert binomtest(n_false, len(planted), expected).pvalue > 1e-4
    assert len(removed(near_duplicates(least=0.7), documents) & copies) <= 2


def texts_of(outcomes):
    return [outcome.document.text for outcome in outcomes if isinstance(outcome, Kept)]


def documents(texts):
    return [Document(id=f"demo/{i}", text=text, corpus="demo") for i, text in enumerate(texts)]


@pytest.mark.parametrize("name", STAGES)
@given(texts=st.lists(st.text(st.sampled_from("ab ") | st.characters(), max_size=6), max_size=8))
@settings(max_examples=30)
def test_any_texts_keep_their_order_and_equal_ones_go(name, texts):
    outcomes = list(STAGES[name]()(documents(texts)))
    assert [outcome.document for outcome in outcomes] == documents(texts)
    left = [text for text in texts_of(outcomes) if text.split()]
    forms = [" ".join(text.casefold().split()) for text in left]
    assert len(set(forms)) == len(forms)
    assert sum(not text.split() for text in texts) == len(texts_of(outcomes)) - len(left)


def test_a_shard_remembers_the_ones_before():
    texts = ["one two three four five six", "another text that has some words"]
    for stage in (near_duplicates(), near_duplicates_bounded(10)):
        assert texts_of(stage(documents(texts))) == texts
        assert texts_of(stage(documents(texts))) == []


def test_the_reason_names_the_nearest():
    texts = ["one two three four five six", "ONE two three four five six"]
    _, outcome = near_duplicates()(documents(texts))
    assert (outcome.reason, outcome.detail) == ("near-duplicate", "about 1.00 of demo/0")


def test_a_larger_batch_changes_nothing(monkeypatch, articles):
    planted = plant(articles[:100], 50, least=0.5)
    stream = [*articles[:100], *(one.copy for one in planted)]
    whole = removed(near_duplicates(), stream)
    monkeypatch.setattr("llm_course.data.deduplication.near.BATCH", 7)
    assert removed(near_duplicates(), stream) == whole


def test_the_memory_of_the_bounded_stage_does_not_grow(articles):
    seen = BloomFilter(20 * 1000, 1e-3 / 20)
    before = seen.bits.nbytes
    removed(near_duplicates_bounded(1000, seen=seen), articles[:500])
    assert seen.bits.nbytes == before <= 53 * 1000


def test_an_index_goes_on_from_what_was_stored(articles, planted):
    index = NearIndex()
    removed(near_duplicates(index=index), articles[:300])
    stored = NearIndex.restored(index.ids, index.signatures(), bands=20, rows=5)
    copies = [one.copy for one in planted]
    whole = removed(near_duplicates(index=index), copies)
    assert removed(near_duplicates(index=stored), copies) == whole


def test_only_kept_documents_are_remembered():
    index = NearIndex()
    texts = ["one two three four five six", "one two three four five six", "other words"]
    list(near_duplicates(index=index)(documents(texts)))
    assert len(index) == 2


@pytest.mark.parametrize("make", STAGES.values(), ids=STAGES)
def test_bands_and_rows_have_to_match_the_hashes(make):
    with pytest.raises(ValueError, match=r"n_hashes = 64, got 20 · 5 = 100. Fix: n_hashes=100"):
        make(hasher=MinHash(n_hashes=64), bands=20, rows=5)


def test_a_similarity_is_from_0_to_1():
    with pytest.raises(ValueError, match="least: expected a similarity from 0 to 1, got 70"):
        near_duplicates(least=70)
