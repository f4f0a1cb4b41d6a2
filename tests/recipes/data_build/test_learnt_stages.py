"""Learnt stages: learnt when they are needed, and they remove what they should."""

import pytest

from llm_course.data.cleaning.spoiled import boilerplate, shuffled
from llm_course.data.corpora import load
from llm_course.data.documents import Document
from llm_course.data.stages import Kept
from llm_course.recipes.data_build import learnt_stages
from llm_course.recipes.data_build.stage_kinds import make_stage


def kept(use, options, texts):
    documents = [Document(id=f"a/{i}", text=text, corpus="a") for i, text in enumerate(texts)]
    outcomes = list(make_stage(use, options, "demo")(documents))
    assert len(outcomes) == len(texts)
    return [isinstance(outcome, Kept) for outcome in outcomes]


@pytest.fixture
def fresh():
    for learnt in (learnt_stages._identifier, learnt_stages._byte_model, learnt_stages._classifier):
        learnt.cache_clear()


def test_a_recipe_is_checked_without_learning(fresh, monkeypatch):
    monkeypatch.setattr(learnt_stages, "load", None)
    monkeypatch.setattr(learnt_stages, "encyclopedia_identifier", None)
    make_stage("language", {"keep": ["en"]}, "demo")
    make_stage("perplexity", {"reference": "tiny_world"}, "demo")
    make_stage("quality_classifier", {"reference": "tiny_world"}, "demo")


def test_language():
    texts = ["The house is near the old river.", "La maison est près de la vieille rivière."]
    assert kept("language", {"keep": ["fr"]}, texts) == [False, True]


def test_perplexity():
    held_out = [document.text for document in load("tiny_world", limit=420)[400:]]
    noise = ["%$#@ qzx 8f7 !!! zzq" * 4] * 20
    options = {"reference": "tiny_world", "documents": 200}
    found = kept("perplexity", options, held_out + noise)
    assert sum(found[:20]) >= 17 and not any(found[20:])


def test_quality_classifier():
    held_out = [document.text for document in load("tiny_world", limit=420)[400:]]
    spoiled = [boilerplate(1000 + i) for i in range(10)]
    spoiled += [shuffled(text, 1000 + i) for i, text in enumerate(held_out[:10])]
    options = {"reference": "tiny_world", "documents": 400}
    found = kept("quality_classifier", options, held_out + spoiled)
    assert sum(found[:20]) >= 15
    assert not any(found[20:30])
