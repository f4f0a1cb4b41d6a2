"""Kernels in their sandbox: cells, calls, and every way to be gone."""

import contextlib
import os
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

import llm_course
from llm_course.classroom.grade.walls import student_kernel
from llm_course.classroom.grade.walls.call_answer import AnswerFailed
from llm_course.classroom.grade.walls.student_kernel import KernelGone, StudentKernel
from llm_course.classroom.grade.walls.wire import WireError
from llm_course.classroom.grade.walls.withheld_view import build_view

pytestmark = pytest.mark.needs("bubblewrap")

ANSWERS = """
import torch
def double(x): return 2 * x
def pair(a, *, b=1): return (a, [b])
def grow(values, table, tensor, generator):
    values.append(4); table["new"] = 1; tensor.add_(1)
    return torch.rand(1, generator=generator)
def raises(): raise ValueError("no such thing")
class Own(KeyError): pass
def raises_own(): raise Own("x")
def raises_base(): raise SystemExit(3)
def gives_object(): return object()
class Liar(tuple):
    def __eq__(self, other): return True
def lies(): return Liar((1, 2))
def prints(x): print("LEAK", x); import sys; print("LEAK", file=sys.stderr); return x
"""


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    """The package as the sandbox sees it."""
    target = tmp_path_factory.mktemp("view") / "view"
    build_view([Path(llm_course.__file__).parent], [], target)
    return target


@pytest.fixture
def start(view):
    """Start a kernel with some answers; all kernels are ended after the test."""
    kernels = []

    def start(source="", **settings):
        kernel = StudentKernel(view, **settings)
        kernels.append(kernel)
        kernel.wait()
        if source:
            assert kernel.run(source, 30).ok
        return kernel

    yield start
    for kernel in kernels:
        kernel.close()
        assert not kernel.runtime.exists()


@pytest.fixture(scope="module")
def kernel(view):
    """A kernel with the answers above, for tests that do no harm."""
    with StudentKernel(view) as kernel:
        kernel.wait()
        assert kernel.run(ANSWERS, 30).ok
        yield kernel


def test_a_cell_shows_plain_text_and_its_error(kernel):
    outcome = kernel.run("print('seen')\n1 + 1", 10)
    assert outcome.ok and outcome.text == "seen\n2\n"
    outcome = kernel.run("1 / 0", 10)
    assert not outcome.ok and outcome.error == "ZeroDivisionError: division by zero"


def test_calls_cross_as_values(kernel):
    assert torch.equal(kernel.call("double", [torch.ones(2)], {}, 10), torch.full((2,), 2.0))
    assert kernel.call("pair", [1], {"b": "x"}, 10) == (1, ["x"])
    assert np.array_equal(kernel.call("double", [np.arange(3)], {}, 10), [0, 2, 4])


def test_changes_in_place_come_back(kernel):
    values, table, tensor = [1], {}, torch.zeros(2)
    generator = torch.Generator().manual_seed(3)
    own = torch.Generator().manual_seed(3)
    drawn = kernel.call("grow", [values, table, tensor, generator], {}, 10)
    assert values == [1, 4] and table == {"new": 1} and tensor.tolist() == [1, 1]
    assert drawn == torch.rand(1, generator=own)
    assert torch.rand(1, generator=generator) == torch.rand(1, generator=own)


def test_exceptions_arrive_as_built_in_ones(kernel):
    with pytest.raises(ValueError, match="no such thing") as caught:
        kernel.call("raises", [], {}, 10)
    assert caught.value.from_answer
    with pytest.raises(KeyError) as caught:
        kernel.call("raises_own", [], {}, 10)
    assert type(caught.value) is KeyError
    with pytest.raises(RuntimeError):
        kernel.call("raises_base", [], {}, 10)
    with pytest.raises(NameError):
        kernel.call("nowhere", [], {}, 10)


def test_an_object_of_its_own_arrives_as_data_or_not_at_all(kernel):
    with pytest.raises(AnswerFailed, match="not plain data"):
        kernel.call("gives_object", [], {}, 10)
    told = kernel.call("lies", [], {}, 10)
    assert type(told) is tuple and told != (3, 4)


def test_an_argument_that_cannot_cross_is_the_test_s_fault(kernel):
    with pytest.raises(WireError):
        kernel.call("double", [lambda: 1], {}, 10)


def test_what_a_call_prints_is_not_kept(kernel):
    assert kernel.call("prints", [5], {}, 10) == 5
    assert "LEAK" not in kernel.run("pass", 10).text
    assert kernel.run("print(In[-2:])", 10).text.count("__course__") == 0


def test_output_is_capped(kernel):
    outcome = kernel.run("for _ in range(300): print('y' * 20_000)", 30)
    assert len(outcome.text) < student_kernel.MOST_OUTPUT + 20


@pytest.mark.parametrize(
    "source",
    [
        "while True: pass",
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(99)",
        "import ctypes\nctypes.PyDLL(None).sleep(99)",
    ],
    ids=["loop", "deaf", "holds-the-lock"],
)
def test_a_cell_that_does_not_end_is_ended(start, source):
    kernel = start()
    with pytest.raises(KernelGone) as gone:
        kernel.run(source, 1.5)
    assert gone.value.reason == "timeout"


@pytest.mark.parametrize(
    "source",
    [
        "import os; os._exit(0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import ctypes; ctypes.string_at(0)",
    ],
)
def test_a_kernel_that_ends_itself_is_noticed(start, source):
    kernel = start()
    with pytest.raises(KernelGone) as gone:
        kernel.run(source, 30)
    assert gone.value.reason == "died"


def test_too_much_memory_ends_it(start, monkeypatch):
    monkeypatch.setattr(student_kernel, "MOST_MEMORY", 400 * 2**20)
    kernel = start()
    with pytest.raises(KernelGone) as gone:
        kernel.run("x = bytearray(b'1' * 600_000_000)\nimport time; time.sleep(30)", 30)
    assert gone.value.reason == "memory"


def test_a_fork_bomb_stays_inside(start):
    kernel = start()
    before = len(psutil.pids())
    bomb = (
        "import os, time\n"
        "for _ in range(2000):\n"
        "    try:\n"
        "        if os.fork() == 0: time.sleep(60); os._exit(0)\n"
        "    except OSError: break\n"
        "print('tried')"
    )
    with contextlib.suppress(KernelGone):
        kernel.run(bomb, 20)
    kernel.close()
    deadline = time.monotonic() + 20
    while len(psutil.pids()) > before + 20 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(psutil.pids()) <= before + 20


PATCHES = {
    "do_execute": "k = get_ipython().kernel\n"
    "async def do(*a, **k): return {'status': 'ok', 'execution_count': 1, 'payload': [], "
    "'user_expressions': {}}\nk.do_execute = do",
    "transformer": "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])",
    "publisher": "get_ipython().display_pub.publish = lambda *a, **k: None",
    "forged": "from llm_course.classroom.grade.walls import student_side as s\n"
    's.answered = lambda *a: \'["tuple", ["value", ["pickle", "x"], ["dict", []]]]\'',
    "nonsense": "from llm_course.classroom.grade.walls import student_side as s\n"
    "s.answered = lambda *a: 7",
}


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
def test_a_patched_kernel_gives_no_answer(start, patch):
    kernel = start("def double(x): return 2 * x")
    kernel.run(patch, 10)
    with pytest.raises((AnswerFailed, KernelGone)):
        kernel.call("double", [2], {}, 5)


def test_names_of_libraries_are_withheld(start):
    kernel = start(withheld=["torch.nn.functional.relu"])
    outcome = kernel.run("import torch.nn.functional as F, torch\nF.relu(torch.ones(1))", 30)
    assert outcome.error == "RuntimeError: withheld in grading: torch.nn.functional.relu"


def test_closing_leaves_neither_process_nor_folder(view):
    kernel = StudentKernel(view)
    kernel.wait()
    pid = kernel._process.pid
    kernel.close()
    kernel.close()
    assert not kernel.runtime.exists() and not _alive(pid)


def _alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE and os.kill(pid, 0) is None
    except (psutil.NoSuchProcess, ProcessLookupError):
        return False
