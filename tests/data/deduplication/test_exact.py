"""Exact duplicates: against Python's sets of texts, in order, over shards."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.deduplication.exact import duplicate_lines, exact_duplicates, loosely
from llm_course.data.deduplication.seen import BloomFilter, HashSet
from llm_course.data.documents import Document
from llm_course.data.stages import Kept, Removed

FEW_TEXTS = st.lists(st.text(st.sampled_from("ab\n ") | st.characters(), max_size=4))
FEW_LINES = st.lists(st.lists(st.sampled_from(["a", "bb", "", "ccc"]), max_size=5))


def documents(texts):
    return [Document(id=f"demo/{i}", text=text, corpus="demo") for i, text in enumerate(texts)]


def kept(outcomes):
    return [outcome.document.text for outcome in outcomes if isinstance(outcome, Kept)]


@given(FEW_TEXTS)
def test_the_first_of_equal_texts_stays(texts):
    found = documents(texts)
    outcomes = list(exact_duplicates()(found))
    assert [outcome.document for outcome in outcomes] == found
    assert kept(outcomes) == list(dict.fromkeys(texts))


@given(FEW_TEXTS, st.integers(0, 5))
def test_shards_give_what_the_whole_gives_also_after_a_stop(texts, cut):
    whole = kept(exact_duplicates()(documents(texts)))
    seen = HashSet()
    first = kept(exact_duplicates(seen)(documents(texts[:cut])))
    stored = HashSet(seen.keys())
    assert first + kept(exact_duplicates(stored)(documents(texts[cut:]))) == whole


def test_a_bloom_filter_finds_every_duplicate():
    texts = [f"text {i % 500}" for i in range(1000)]
    outcomes = list(exact_duplicates(BloomFilter(500, 1e-6))(documents(texts)))
    assert [isinstance(outcome, Removed) for outcome in outcomes] == [False] * 500 + [True] * 500


def test_texts_may_be_compared_loosely():
    texts = ["Tel. 12, Café", "tel 34 cafe!", "tel 345 cafe"]
    assert kept(exact_duplicates(normalise=loosely)(documents(texts))) == [texts[0], texts[2]]


@given(st.text(st.characters()))
def test_loosely_is_idempotent_and_takes_any_text(text):
    assert loosely(loosely(text)) == loosely(text)


@given(FEW_LINES)
def test_lines_against_a_slow_loop(pages):
    texts = ["\n".join(lines) for lines in pages]
    seen, expected = set(), []
    for text in texts:
        left, cut = [], 0
        for line in text.split("\n"):
            if len(line) >= 2 and line in seen:
                cut += 1
            else:
                left.append(line)
            if len(line) >= 2:
                seen.add(line)
        gone = cut and not any(left)
        expected.append(None if gone else ("\n".join(left), {"repeated line": cut} if cut else {}))
    outcomes = list(duplicate_lines(normalise=lambda line: line, least=2)(documents(texts)))
    assert len(outcomes) == len(texts)
    for outcome, found in zip(outcomes, expected, strict=True):
        if found is None:
            assert isinstance(outcome, Removed) and outcome.reason == "no line left"
        else:
            assert (outcome.document.text, outcome.edits) == found


@given(st.lists(st.text(st.characters() | st.sampled_from("\na "))))
def test_lines_of_any_text_are_cut_once(texts):
    first = kept(duplicate_lines(least=1)(documents(texts)))
    assert kept(duplicate_lines(least=1)(documents(first))) == first


def test_short_lines_stay():
    texts = ["Yes.\nA line that is long enough to count.", "Yes.\nOther."]
    assert kept(duplicate_lines()(documents(texts))) == texts


def test_keys_are_numbers_that_can_be_stored(tmp_path):
    seen = HashSet()
    list(exact_duplicates(seen)(documents(["a", "b"])))
    np.save(tmp_path / "keys.npy", seen.keys())
    again = HashSet(np.load(tmp_path / "keys.npy"))
    assert kept(exact_duplicates(again)(documents(["b", "c"]))) == ["c"]
