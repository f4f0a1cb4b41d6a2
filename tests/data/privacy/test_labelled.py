"""Labelled sentences: their truth is true, and the rules' figures are those that are stated."""

import ipaddress
import re

import pytest

from llm_course.data.privacy import labelled
from llm_course.data.privacy.labelled import LabelledText, labelled_texts, score_detector
from llm_course.data.privacy.scrub import Finding, find_personal_data

KINDS = ["email", "card", "ipv6", "ipv4", "phone", "name"]


@pytest.fixture(scope="module")
def examples():
    return labelled_texts(2000, seed=0)


@pytest.fixture(scope="module")
def scores(examples):
    return score_detector(examples, find_personal_data)


def test_the_truth_by_other_means(examples):
    forms = {
        "email": lambda value: value.count("@") == 1 and " " not in value,
        "card": lambda value: len(re.sub(r"\D", "", value)) in (15, 16),
        "ipv6": ipaddress.IPv6Address,
        "ipv4": ipaddress.IPv4Address,
        "phone": lambda value: len(re.sub(r"\D", "", value)) >= 7,
        "name": lambda value: value[0].isupper() and " " in value,
    }
    for example in examples:
        for finding in example.findings:
            assert forms[finding.kind](example.text[finding.start : finding.end])
        assert example.text.count("@example") <= 2
    personal = sum(bool(example.findings) for example in examples)
    assert personal == 1000
    for kind in KINDS:
        assert sum(f.kind == kind for example in examples for f in example.findings) > 100


def test_figures_are_those_of_the_documentation(scores):
    rows = re.findall(r"^(\w+) +(\d\.\d{3}) +(\d\.\d{3})$", labelled.__doc__, re.MULTILINE)
    stated = {kind: (float(precision), float(recall)) for kind, precision, recall in rows}
    found = {
        kind: (round(score.precision, 3), round(score.recall, 3)) for kind, score in scores.items()
    }
    assert found == stated


def test_other_sentences_give_about_the_same(scores):
    others = score_detector(labelled_texts(2000, seed=1), find_personal_data)
    for kind in KINDS:
        assert others[kind].precision == pytest.approx(scores[kind].precision, abs=0.08)
        assert others[kind].recall == pytest.approx(scores[kind].recall, abs=0.08)


@pytest.mark.parametrize("kind", ["email", "card", "ipv6", "ipv4"])
def test_what_has_a_fixed_form_is_never_missed(scores, kind):
    assert scores[kind].recall == 1.0


def test_scores_by_hand():
    example = LabelledText("x" * 20, (Finding(0, 3, "a"), Finding(5, 8, "a"), Finding(9, 10, "b")))

    def detect(text):
        return [Finding(0, 3, "a"), Finding(5, 9, "a"), Finding(12, 13, "c")]

    scores = score_detector([example], detect)
    assert (scores["a"].precision, scores["a"].recall) == (0.5, 0.5)
    assert (scores["b"].precision, scores["b"].recall) == (1.0, 0.0)
    assert (scores["c"].precision, scores["c"].recall) == (0.0, 1.0)


def test_a_detector_that_finds_nothing_has_no_recall(examples):
    assert {s.recall for s in score_detector(examples, lambda text: []).values()} == {0.0}


def test_a_seed_gives_the_same_sentences():
    assert labelled_texts(20, seed=4) == labelled_texts(20, seed=4) != labelled_texts(20, seed=5)
