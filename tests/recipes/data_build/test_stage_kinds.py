"""Kinds of stages: each can be made, and options that do not fit are refused."""

import re

import pytest

from llm_course.data.documents import Document
from llm_course.data.stages import Kept, Removed
from llm_course.errors import CourseError
from llm_course.recipes.data_build.global_stages import GlobalStage
from llm_course.recipes.data_build.stage_kinds import STAGE_KINDS, check_stage, make_stage

NEEDED = {
    "language": {"keep": ["en"]},
    "perplexity": {"reference": "tiny_world", "documents": 20},
    "quality_classifier": {"reference": "tiny_world", "documents": 20},
}
TEXT = "The fox and the dog have a house. It is near to the river. They like it with bread."


@pytest.mark.parametrize("use", STAGE_KINDS)
def test_every_kind_gives_one_outcome_for_each_document(use):
    documents = [Document(id=f"a/{i}", text=TEXT * (i % 3), corpus="a") for i in range(6)]
    stage = make_stage(use, NEEDED.get(use, {}), "demo")
    if isinstance(stage, GlobalStage):
        (decision,) = stage.decide([([d.id for d in documents], stage.sign(documents))])
        outcomes = list(stage.apply(documents, decision))
    else:
        outcomes = list(stage(documents))
    assert [outcome.document.id for outcome in outcomes] == [d.id for d in documents]
    assert all(isinstance(outcome, Kept | Removed) for outcome in outcomes)


def test_rules_may_be_left_out():
    (kept,) = make_stage("c4_pages", {"without": ["few sentences"]}, "demo")(
        [Document(id="a/0", text="One.", corpus="a")]
    )
    (removed,) = make_stage("c4_pages", {}, "demo")([Document(id="a/0", text="One.", corpus="a")])
    assert isinstance(kept, Kept) and removed.reason == "few sentences"


def test_personal_data_is_replaced_or_dropped():
    text = "Write to ann@example.com or call 192.168.3.4 today."
    document = Document(id="a/0", text=text, corpus="a")
    (replaced,) = make_stage("privacy", {}, "demo")([document])
    assert "ann@" not in replaced.document.text and sum(replaced.edits.values()) == 2
    (dropped,) = make_stage("privacy", {"action": "drop"}, "demo")([document])
    assert isinstance(dropped, Removed)
    (kept,) = make_stage("privacy", {"action": "drop", "most": 2}, "demo")([document])
    assert isinstance(kept, Kept)


WRONG = [
    ("privacy", {"kinds": ["shoe size"]}, "kinds: expected kinds of"),
    ("privacy", {"action": "sell"}, "action: expected one of replace, drop, got 'sell'"),
    ("privacy", {"most": 1}, "expected only the fields kinds, action, got 'most'"),
    ("gopher_quality", {"without": ["beauty"]}, "without: expected rules of"),
    ("c4_pages", {"blocked_words": "darn"}, "blocked_words: expected a list, got 'darn'"),
    ("near_duplicates", {"least": 1.5}, "least: expected a similarity from 0 to 1, got 1.5"),
    ("near_duplicates", {"bands": 0}, "bands: expected an integer of at least 1, got 0"),
    ("near_duplicates", {"unit": "bytes"}, "unit: expected one of words, characters"),
    ("near_duplicates", {"capacity": 10, "least": 0.5}, "expected only the fields"),
    ("exact_duplicates", {"loosely": 1}, "loosely: expected true or false, got 1"),
    ("duplicate_lines", {"least": "x"}, "least: expected an integer of at least 1, got 'x'"),
    ("language", {"keep": ["de"]}, "keep: expected languages of en, fr, es, got 'de'"),
    ("perplexity", {"reference": "wiki"}, "corpus: expected one of tiny_world"),
    ("perplexity", {"reference": "bible", "high_quantile": 2.0}, "low_quantile: expected a number"),
]


@pytest.mark.parametrize("use, options, wanted", WRONG)
def test_options_that_do_not_fit(use, options, wanted):
    with pytest.raises(CourseError, match=re.escape(wanted)):
        check_stage(use, options, "demo")
