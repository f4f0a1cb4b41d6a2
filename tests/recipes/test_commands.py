"""The commands of recipes, as typed."""

import json
import sys

import pytest

from llm_course import cli
from llm_course.data.catalogue import CORPORA
from llm_course.recipes.data_build.stage_kinds import STAGE_KINDS

RECIPE = """
name = "typed"
documents_per_job = 50
shard_size = 5000

[[corpora]]
name = "tiny_world"
limit = 60

[[stages]]
use = "exact_duplicates"

[tokenizer]
use = "bytes"
"""


@pytest.fixture
def main(monkeypatch, capsys, tmp_path):
    """Run the command line in an empty folder; give its exit code, output and error."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["llm-course", "data", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return call


def test_build_tells_what_it_did_and_again_the_same(main, tmp_path):
    (tmp_path / "a.toml").write_text(RECIPE)
    code, first, err = main("build", "--recipe", "a.toml")
    assert (code, err) == (0, "")
    assert "1 exact_duplicates  60 → 60 documents" in first
    assert "Written to build/data/typed: shards/, report.json, flow.svg" in first
    report = json.loads((tmp_path / "build/data/typed/report.json").read_text())
    assert f"{report['result']['size']:,} tokens of 60 documents" in first
    assert main("build", "--recipe", "a.toml")[1] == first


def test_a_bad_recipe_is_one_line(main, tmp_path):
    (tmp_path / "a.toml").write_text(RECIPE.replace("tiny_world", "big_world"))
    code, _, err = main("build", "--recipe", "a.toml")
    assert code == 2 and err.startswith("error: a.toml: corpora[0]: corpus: expected one of")
    assert err.count("\n") == 1


def test_catalogue_lists_every_corpus_with_its_licence(main):
    code, out, _ = main("catalogue")
    assert code == 0
    for name, corpus in CORPORA.items():
        assert any(line.startswith(name + " ") and corpus.licence in line for line in
                   out.splitlines())  # fmt: skip


def test_stages_are_listed(main):
    code, out, _ = main("stages")
    assert code == 0 and all(f"{name} " in out for name in STAGE_KINDS)
