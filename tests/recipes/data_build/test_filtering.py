"""Filtering in segments equals sending the whole corpus through its stages in one stream."""

import pytest

from llm_course.data.cleaning.c4 import c4_pages
from llm_course.data.cleaning.gopher import GOPHER_QUALITY
from llm_course.data.cleaning.rules import rule_filter
from llm_course.data.corpora import load
from llm_course.data.deduplication.exact import duplicate_lines, exact_duplicates
from llm_course.data.deduplication.minhash import MinHash
from llm_course.data.deduplication.near import near_duplicates
from llm_course.data.stages import StageReport, follow
from llm_course.recipes.data_build import filtering
from llm_course.recipes.data_build.document_files import read_documents
from llm_course.recipes.data_build.filtering import segments, stage_name
from llm_course.recipes.data_build.recipe import parse_recipe
from llm_course.recipes.data_build.run import build


def test_segments_end_at_global_stages(table):
    recipe = parse_recipe(table())
    assert [(s.first, s.local, s.last) for s in segments(recipe)] == [
        (None, (0,), 1), (1, (), 2), (2, (), 3), (3, (4,), None),
    ]  # fmt: skip
    assert stage_name(recipe, 1) == "2 exact_duplicates"
    assert len(segments(parse_recipe(table(stages=None)))) == 1


@pytest.fixture
def serial():
    """The documents of the small recipe after its stages, one corpus after the other."""
    left_out = {"number of words", "function words"}
    rules = {name: rule for name, rule in GOPHER_QUALITY.items() if name not in left_out}
    corpora = {
        "tiny_world": load("tiny_world", limit=150),
        "chatterbot_it": load("chatterbot_it", limit=500),
    }
    hasher = MinHash(n_hashes=100, n=3)
    stages = [
        (rule_filter(rules), None),
        (exact_duplicates(), None),
        (duplicate_lines(least=10), "chatterbot_it"),
        (near_duplicates(hasher, least=0.5), None),
        (rule_filter(c4_pages()), "tiny_world"),
    ]
    reports = []
    for number, (stage, only) in enumerate(stages):
        reports.append(StageReport(name=str(number)))
        for name, documents in corpora.items():
            if only in (None, name):
                corpora[name] = list(follow(stage, documents, reports[-1]))
    return corpora, reports


def test_pieces_and_segments_change_nothing(
    table, tmp_path, without_processes, serial, monkeypatch
):
    corpora, reports = serial
    monkeypatch.setattr(filtering.Workspace, "finish", lambda self, report: None)  # keep the work
    report = build(parse_recipe(table()), tmp_path)
    for name, documents in corpora.items():
        found = [
            document
            for path in sorted((tmp_path / "work" / "filter-3").glob(f"{name}-*.jsonl"))
            for document in read_documents(path)
        ]
        assert found == documents
    for told, wanted in zip(report["stages"], reports, strict=True):
        for key in ("n_in", "n_out", "bytes_in", "bytes_out"):
            assert told[key] == getattr(wanted, key), told["name"]
        assert told["removed"] == dict(wanted.removed) and told["edits"] == dict(wanted.edits)
        assert told["examples"] == wanted.examples
    assert all(told["n_in"] > told["n_out"] for told in report["stages"]), "a stage had no work"
    assert report["stages"][2]["edits"]["repeated line"] > 0
