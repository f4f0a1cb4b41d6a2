"""`llm-course train` as typed."""

import json
import sys

import pytest

from llm_course import cli

RECIPE = """
name = "typed"
[model]
context_length = 8
d_model = 8
n_layers = 1
n_heads = 1
d_ff = 8
[data]
n_bytes = 6000
held_out_bytes = 800
tokenizer_bytes = 3000
vocab_size = 280
[training]
n_steps = 3
learning_rate = 0.01
[run]
batch_size = 2
"""


@pytest.fixture
def main(monkeypatch, capsys, tmp_path):
    """Run the command line in an empty folder; give its exit code, output and error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.toml").write_text(RECIPE)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["llm-course", "train", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return call


def test_it_trains_and_tells_where(main, tmp_path):
    code, out, err = main("--config", "a.toml")
    assert (code, err) == (0, "")
    assert "step 0 of 3" in out and "held-out loss" in out
    assert "Written to build/train/typed: model.safetensors" in out
    result = json.loads((tmp_path / "build/train/typed/result.json").read_text())
    expected = "llm-course train --config a.toml --device cpu --strategy single"
    assert result["command"] == expected and result["threads"] > 0


def test_again_it_goes_on_and_by_force_begins_anew(main):
    main("--config", "a.toml", "--out", "o")
    assert "on from step-00000003.safetensors" in main("--config", "a.toml", "--out", "o")[1]
    assert "step 0 of 3" in main("--config", "a.toml", "--out", "o", "--force")[1]


def test_a_plan_writes_nothing(main, tmp_path):
    code, out, _ = main("--config", "a.toml", "--plan")
    assert code == 0 and out.startswith("parameters: 2,")
    assert [path.name for path in tmp_path.iterdir()] == ["a.toml"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--config", "b.toml"], "b.toml: expected a recipe, found no file"),
        (["--config", "a.toml", "--strategy", "x"], "--strategy: expected one of single"),
    ],
)
def test_a_problem_is_one_line(main, words, message):
    code, _, err = main(*words)
    assert code == 2 and message in err and err.count("\n") == 1
