"""The view: withheld functions raise, everything else works, nothing of the answer is left."""

import subprocess
import sys
from pathlib import Path

import pytest

from llm_course.classroom.course import find_root
from llm_course.classroom.grade.walls.withheld_view import MARK, build_view, without
from llm_course.errors import CourseError

PACKAGE = find_root(Path(__file__).parent) / "llm_course"

MODULE = '''
"""A module."""
import functools

LIMIT = 3

@functools.cache
def answer(x, *, y=LIMIT):
    """The secret is forty-two."""
    return 42

def other(x):
    return x + 1

class Layer:
    """A class."""
    size = 4

    def __init__(self, d):
        self.d = d

    def forward(self, x):
        return "secret forward"
'''


def without_names(source, *gone):
    return without(source, {name: f"module.{name}" for name in gone})


def names(source):
    space = {}
    exec(source, space)
    return space


def test_a_function_raises_and_keeps_its_signature():
    space = names(without_names(MODULE, "answer"))
    with pytest.raises(RuntimeError, match=f"{MARK}: module.answer"):
        space["answer"](1, y=2)
    with pytest.raises(TypeError, match="unexpected keyword"):
        space["answer"](1, z=2)
    assert space["other"](1) == 2 and space["Layer"](5).d == 5


def test_nothing_of_the_answer_is_left():
    text = without_names(MODULE, "answer", "Layer.forward")
    assert "42" not in text and "forty-two" not in text and "secret" not in text


def test_a_method_or_a_whole_class_can_be_withheld():
    space = names(without_names(MODULE, "Layer.forward"))
    layer = space["Layer"](5)
    with pytest.raises(RuntimeError, match=r"Layer\.forward"):
        layer.forward(1)
    with pytest.raises(RuntimeError, match=MARK):
        names(without_names(MODULE, "Layer"))["Layer"](5)


def test_a_class_without_methods_cannot_be_made():
    with pytest.raises(RuntimeError, match=MARK):
        names(without_names("class Config:\n    size = 3", "Config"))["Config"]()


def test_an_unknown_name_is_an_error(tmp_path):
    with pytest.raises(CourseError, match="expected a function gone"):
        without_names(MODULE, "gone")
    with pytest.raises(CourseError, match="nowhere"):
        build_view([PACKAGE], ["llm_course.nowhere.gone"], tmp_path / "view")


def test_the_package_still_imports_and_only_the_answer_is_gone(tmp_path):
    outside = build_view(
        [PACKAGE],
        ["llm_course.model.norms.rms_norm", "torch.nn.functional.rms_norm"],
        tmp_path / "view",
    )
    assert outside == ["torch.nn.functional.rms_norm"]
    code = (
        "import torch, llm_course.model.decoder; from llm_course.model import norms\n"
        "x = torch.ones(1, 4)\n"
        "print(norms.layer_norm(x, torch.ones(4), torch.zeros(4)).sum().item())\n"
        "try: norms.rms_norm(x, torch.ones(4))\n"
        "except RuntimeError as error: print(error)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path / "view"), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
    )
    assert ran.stdout.splitlines() == ["0.0", f"{MARK}: llm_course.model.norms.rms_norm"], (
        ran.stderr
    )
    assert not list((tmp_path / "view").rglob("*.pyc"))


def test_a_single_module_can_be_a_source(tmp_path):
    helper = tmp_path / "helper.py"
    helper.write_text(MODULE)
    assert build_view([helper], ["helper.answer"], tmp_path / "view") == []
    assert "42" not in (tmp_path / "view" / "helper.py").read_text()
