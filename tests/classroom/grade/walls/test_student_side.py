"""The sandbox's own code: limits, withheld names, answers."""

import math
import subprocess
import sys

import pytest
import torch

from llm_course.classroom.grade.walls.student_side import LIMITS, answered, withhold
from llm_course.classroom.grade.walls.wire import dumps, loads


def answer(function, *arguments, **named):
    """What a call of `f` is answered with."""
    return loads(answered({"f": function}, dumps(("f", arguments, named))))


def test_results_and_changed_arguments():
    def f(values, *, scale):
        values.append(scale)
        return torch.ones(2) * scale

    kind, result, changed = answer(f, [1], scale=3)
    assert kind == "value" and result.tolist() == [3, 3] and changed == {0: [1, 3]}


def test_arguments_that_stay_are_not_sent_back():
    assert answer(lambda x, y: x, torch.ones(3), y=2) [2] == {}  # fmt: skip


class Deep(LookupError):
    pass


@pytest.mark.parametrize(
    ("error", "kinds"),
    [
        (ValueError("x"), ["ValueError", "Exception"]),
        (Deep("x"), ["LookupError", "Exception"]),
        (SystemExit("x"), ["SystemExit"]),
    ],
)
def test_errors_are_told_by_their_built_in_kinds(error, kinds):
    def f():
        raise error

    assert answer(f) == ("error", kinds, str(error))


def test_long_messages_are_cut():
    def f():
        raise ValueError("y" * 10**6)

    assert len(answer(f)[2]) == 2_000


def test_what_cannot_cross_is_told():
    kind, why = answer(lambda: object())
    assert kind == "unsendable" and "object" in why


def test_a_library_s_name_is_withheld_and_others_stay(monkeypatch):
    monkeypatch.setattr(torch.nn, "Bilinear", torch.nn.Bilinear)
    withhold("torch.nn.Bilinear")
    with pytest.raises(RuntimeError, match=r"withheld in grading: torch\.nn\.Bilinear"):
        torch.nn.Bilinear(1, 1, 1)
    assert torch.nn.Linear(1, 1)


@pytest.mark.parametrize("name", ["nowhere.at.all", "math.gone", "math"])
def test_a_name_that_is_not_there_is_passed_over(name):
    withhold(name)
    assert math.sqrt(4) == 2


def test_the_limits_hold_before_a_kernel_starts():
    code = (
        "import sys, resource, ipykernel.kernelapp as k\n"
        "k.launch_new_instance = lambda a: print(resource.getrlimit(resource.RLIMIT_NPROC)[1], a)\n"
        "from llm_course.classroom.grade.walls.student_side import main\nmain(['file.json'])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    most = LIMITS[__import__("resource").RLIMIT_NPROC]
    assert ran.stdout.startswith(f"{most} ['-f', 'file.json'"), ran.stderr
