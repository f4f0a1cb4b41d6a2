"""The module as ``torchrun -m`` starts it."""

import os
import subprocess
import sys

import pytest

from llm_course.classroom.course import find_root
from llm_course.recipes.train import __main__ as module


def test_a_problem_is_one_line(tmp_path):
    command = [sys.executable, "-m", "llm_course.recipes.train", "--config", tmp_path / "none.toml"]
    environment = {**os.environ, "PYTHONPATH": str(find_root())}
    ended = subprocess.run(
        [*map(str, command)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 2 and ended.stdout == ""
    assert ended.stderr.startswith("error: ") and ended.stderr.count("\n") == 1
    assert "none.toml: expected a recipe, found no file" in ended.stderr


def test_it_plans(monkeypatch, capsys):
    config = str(find_root() / "configs" / "7b.toml")
    monkeypatch.setattr(sys, "argv", ["train", "--config", config, "--plan"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 0
    assert "parameters: 6,738,415,616" in capsys.readouterr().out
