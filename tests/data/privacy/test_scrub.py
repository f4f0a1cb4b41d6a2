"""Scrubbing: idempotent on any text, only what was found changes, the report has no data in it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.data.documents import Document
from llm_course.data.privacy.labelled import labelled_texts
from llm_course.data.privacy.rules import privacy_rules
from llm_course.data.privacy.scrub import (
    Finding,
    PrivacyReport,
    drop_personal_data,
    find_personal_data,
    mark,
    replaced,
    scrub_personal_data,
)
from llm_course.data.stages import Kept, Removed

RULES = privacy_rules()
# Pieces that stand close to each other: where one is taken away, another may begin.
PIECES = st.sampled_from(
    ["a@b.org", "1.2.3.4", "4111111111111111", "+44 20 7946 0958", "555-010-0123", "2001:db8::7"]
) | st.sampled_from(["Ada Lovelace", "Ada ", "[EMAIL]", *".- :+@01x[]"])
TANGLED = st.lists(PIECES | st.characters(), max_size=8).map("".join)
TEXT = "Ada Lovelace <ada@example.com>, 192.0.2.1"


def scrubbed(text):
    return replaced(text, find_personal_data(text, RULES))


def document(text, number=0):
    return Document(id=f"demo/{number}", text=text, corpus="demo")


@given(TANGLED)
@settings(max_examples=500)
def test_scrubbing_twice_is_scrubbing_once(text):
    assert scrubbed(scrubbed(text)) == scrubbed(text)


@given(st.text(st.characters()))
def test_any_text_can_be_scrubbed(text):
    assert scrubbed(scrubbed(text)) == scrubbed(text)


def test_scrubbing_twice_is_scrubbing_once_on_sentences():
    texts = [example.text for example in labelled_texts(300, seed=5)]
    for text in [*texts, "".join(texts), " ".join(texts)]:
        assert scrubbed(scrubbed(text)) == scrubbed(text)


@given(TANGLED)
def test_findings_are_in_order_apart_and_the_rest_stays(text):
    findings = find_personal_data(text, RULES)
    ends = [0, *(finding.end for finding in findings)]
    starts = [*(finding.start for finding in findings), len(text)]
    assert all(end <= start for end, start in zip(ends, starts, strict=True))
    result = scrubbed(text)
    for end, start, finding in zip(ends, starts, findings, strict=False):
        kept = text[end:start] + mark(finding.kind)
        assert result.startswith(kept)
        result = result[len(kept) :]
    assert result == text[ends[-1] :]


def test_what_a_finding_uncovers_is_found_too():
    # Right behind a word no number begins; behind the mark of what was the word, one does.
    text = "a@b.org+44 20 7946 0958"
    assert RULES["phone"].pattern.search(text) is None
    assert scrubbed(text) == "[EMAIL][PHONE]"
    assert [finding.kind for finding in find_personal_data(TEXT)] == ["name", "email", "ipv4"]


def test_marks_and_edits():
    (outcome,) = scrub_personal_data()([document(TEXT)])
    assert outcome.document.text == "[NAME] <[EMAIL]>, [IPV4]"
    assert outcome.edits == {"name": 1, "email": 1, "ipv4": 1}
    assert outcome.document.id == "demo/0"


def test_the_report_has_counts_and_places_and_no_data():
    report = PrivacyReport()
    documents = [document(TEXT, 0), document("Nothing here.", 1), document("a@b.org", 2)]
    list(scrub_personal_data(report=report)(documents))
    content = report.as_dict()
    assert content["counts"] == {"email": 2, "name": 1, "ipv4": 1}
    assert content["spans"] == {
        "demo/0": [[0, 12, "name"], [14, 29, "email"], [32, 41, "ipv4"]],
        "demo/2": [[0, 7, "email"]],
    }
    assert "ada@example.com" not in json.dumps(content) and "Lovelace" not in json.dumps(content)


def test_documents_are_dropped_whole_and_order_is_kept():
    documents = [document("Fine.", 0), document(TEXT, 1), document("a@b.org c@d.org", 2)]
    first, second, third = drop_personal_data()(documents)
    assert first == Kept(documents[0])
    assert second == Removed(documents[1], "name", "3 pieces of personal data")
    assert third == Removed(documents[2], "email", "2 pieces of personal data")
    assert [type(o) for o in drop_personal_data(most=2)(documents)] == [Kept, Removed, Kept]


def test_rules_can_be_chosen():
    only = {"email": RULES["email"]}
    (outcome,) = scrub_personal_data(only)([document(TEXT)])
    assert outcome.document.text == "Ada Lovelace <[EMAIL]>, 192.0.2.1"
    assert find_personal_data("Ada Lovelace", only) == []


def test_findings_sort_by_place():
    assert sorted([Finding(5, 6, "a"), Finding(0, 9, "z")]) == [
        Finding(0, 9, "z"),
        Finding(5, 6, "a"),
    ]


def test_most_is_a_number_of_findings():
    with pytest.raises(ValueError, match="most: expected 0 or more, got -1"):
        drop_personal_data(most=-1)
