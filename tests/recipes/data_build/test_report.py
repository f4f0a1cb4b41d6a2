"""The report adds up, quotes nothing, and its figure states what it shows."""

import json

import pytest

from llm_course.data.corpora import load
from llm_course.data.stages import StageReport
from llm_course.recipes.data_build.recipe import parse_recipe
from llm_course.recipes.data_build.report import as_report, flow_figure, merge_reports
from llm_course.recipes.data_build.run import build


@pytest.fixture
def report(table, tmp_path, without_processes):
    return build(parse_recipe(table()), tmp_path)


def test_what_goes_in_comes_out_or_is_removed_for_a_reason(report):
    assert len(report["stages"]) == 5
    for told in report["stages"]:
        assert told["n_in"] == told["n_out"] + sum(told["removed"].values())
        assert all(told["examples"][reason] for reason in told["removed"])
    everywhere = [s for s in report["stages"] if s["name"][2:] in ("gopher_quality",)]
    read = sum(corpus["n_documents"] for corpus in report["corpora"].values())
    assert everywhere[0]["n_in"] == read == 650


def test_corpora_add_up_to_the_whole(report):
    by_name = {told["name"]: told for told in report["stages"]}
    for name, whole in by_name.items():
        parts = [
            told
            for stages in report["stages_by_corpus"].values()
            for told in stages
            if told["name"] == name
        ]
        for key in ("n_in", "n_out", "bytes_in", "bytes_out"):
            assert sum(part[key] for part in parts) == whole[key]


def test_the_mixture_adds_up_to_the_result(report):
    mixture, result = report["mixture"], report["result"]
    assert sum(told["taken"] for told in mixture.values()) == result["size"]
    assert sum(told["documents_taken"] for told in mixture.values()) == result["n_documents"]
    assert sum(told["weight"] for told in mixture.values()) == pytest.approx(1)


def test_no_text_is_quoted(report):
    told = json.dumps(report)
    for document in load("chatterbot_it", limit=500):
        longest = max(document.text.split("\n"), key=len)
        assert len(longest) < 25 or json.dumps(longest)[1:-1] not in told


def test_the_figure_states_its_finding(report):
    shown = flow_figure(report)
    read = sum(corpus["n_bytes"] for corpus in report["corpora"].values())
    assert f"Of {read / 1e6:.2f} MB" in shown.alt and "removed most" in shown.alt
    assert 'role="img"' in shown.svg


def test_a_report_without_stages_has_a_figure(table, tmp_path, without_processes):
    report = build(parse_recipe(table(stages=None)), tmp_path)
    assert report["stages"] == [] and "(100%)" in flow_figure(report).alt


def test_reports_merge_by_name_and_in_order():
    first = StageReport(name="a", n_in=2, examples={"x": ["1"]})
    second = StageReport(name="a", n_in=3, examples={"x": ["2"]})
    found = merge_reports([[first.as_dict()], [second.as_dict()]])
    assert found["a"].n_in == 5 and found["a"].examples == {"x": ["1", "2"]}
    assert as_report(first.as_dict()) == first
