"""Stages: one outcome a document in order, counts that add up, parts that merge to the whole."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.documents import Document
from llm_course.data.stages import Kept, Removed, StageReport, chain, each, merged, with_text


def documents(texts):
    return [
        Document(id=f"demo/{number}", text=text, corpus="demo") for number, text in enumerate(texts)
    ]


def by_length(limit):
    return each(
        lambda document: (
            Removed(document, "long", f"{len(document.text)} characters")
            if len(document.text) > limit
            else Kept(document)
        )
    )


def without_a(document):
    count = document.text.count("a")
    return Kept(with_text(document, document.text.replace("a", "")), {"a": count} if count else {})


def run(texts):
    kept, reports = chain({"length": by_length(3), "letters": each(without_a)}, documents(texts))
    return [document.text for document in kept], reports


@given(st.lists(st.text(st.sampled_from("abcé"), max_size=6)))
def test_counts_equal_a_count_by_hand(texts):
    kept, (length, letters) = run(texts)
    short = [text for text in texts if len(text) <= 3]
    assert kept == [text.replace("a", "") for text in short]
    assert (length.n_in, length.n_out) == (len(texts), len(short))
    assert length.removed.total() == len(texts) - len(short)
    assert length.bytes_in == sum(len(text.encode()) for text in texts)
    assert length.bytes_out == letters.bytes_in == sum(len(text.encode()) for text in short)
    assert letters.bytes_out == sum(len(text.encode()) for text in kept)
    assert letters.edits.total() == sum(text.count("a") for text in short)


@given(st.lists(st.text("ab", max_size=6)), st.integers(0, 20))
def test_parts_merge_to_the_report_of_the_whole(texts, cut):
    _, whole = run(texts)
    _, first = run(texts[:cut])
    _, second = run(texts[cut:])
    for all_of_it, one, two in zip(whole, first, second, strict=True):
        together = merged(one, two).as_dict()
        together["examples"] = {key: len(ids) for key, ids in together["examples"].items()}
        expected = all_of_it.as_dict()
        expected["examples"] = {key: len(ids) for key, ids in expected["examples"].items()}
        assert together == expected


def test_a_report_is_json_and_names_a_few_examples_without_text():
    _, (length, _) = run(["abcdef"] * 8)
    report = json.loads(json.dumps(length.as_dict()))
    assert report["removed"] == {"long": 8}
    assert report["examples"] == {"long": [f"demo/{number}" for number in range(5)]}
    assert "abcdef" not in json.dumps(report)


def test_documents_go_through_one_at_a_time():
    """The first document is out before the second is read: memory does not grow with the corpus."""
    read = []

    def source():
        for document in documents(["a", "b"]):
            read.append(document.id)
            yield document

    kept, _ = chain({"length": by_length(3)}, source())
    next(kept)
    assert read == ["demo/0"]


def test_reports_of_two_stages_do_not_merge():
    with pytest.raises(ValueError, match="expected a report of 'a', got 'b'"):
        merged(StageReport(name="a"), StageReport(name="b"))


def test_half_a_surrogate_pair_is_counted_not_an_error():
    _, (report, _) = run(["\ud800"])
    assert report.bytes_in == 3
