"""More submissions of the kinds that the given cases show, hostile and honest."""

# ruff: noqa: E501 - a snippet of code stands in one line

import pytest

from llm_course.classroom.grade.marking import answers as limits
from llm_course.classroom.grade.marking.marking import mark
from llm_course.classroom.grade.marking.report import to_json

pytestmark = [pytest.mark.needs("bubblewrap"), pytest.mark.slow]

WRONG = "def softmax(x):\n    return x"
MARK = "hidden-mark-7f3a"
LEAK = "LEAK"

# What stands before the answers, the answer to the first question, and the points of ten.
HOSTILE = {
    "equal-to-all": (
        "class A:\n    def __eq__(s, o): return True\n    def __array__(s, *a, **k):\n"
        "        import numpy as n; return n.zeros(3)\n    shape = (3,)",
        "def softmax(x): return A()", 5,
    ),
    "array-subclass": (
        "class B(np.ndarray):\n    def __array_ufunc__(s, *a, **k): return np.array(0.0)",
        "def softmax(x): return np.zeros(np.shape(x)).view(B)", 5,
    ),
    "patched-numpy": ("np.testing.assert_allclose = np.allclose = lambda *a, **k: True", WRONG, 5),
    "patched-builtins": (
        "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.AssertionError = type('E', (), {})",
        WRONG, 5,
    ),
    "exits-in-the-call": ("", "def softmax(x):\n    import os; os._exit(0)", 5),
    "system-exit": ("", "def softmax(x): raise SystemExit(0)", 5),
    "keyboard-interrupt": ("", "def softmax(x): raise KeyboardInterrupt", 5),
    "assertion-by-the-answer": ("", "def softmax(x): raise AssertionError", 5),
    "returns-itself": ("", "def softmax(x): return softmax", 5),
    "returns-a-generator": ("", "def softmax(x): return (y for y in x)", 5),
    "returns-nan": ("", "def softmax(x): return np.full(np.shape(x), np.nan)", 5),
    "returns-objects": ("", "def softmax(x): return np.array([object()])", 5),
    "returns-a-circle": ("", "def softmax(x):\n    y = []; y.append(y); return y", 5),
    "returns-a-giant": ("", "def softmax(x): return np.zeros(40_000_000)", 5),
    "deletes-itself": ("", "def softmax(x): return x\ndel softmax", 5),
    "traces": (
        "import sys, threading\nsys.settrace(lambda *a: None)\nthreading.setprofile(print)", WRONG, 5
    ),
    "closes-its-sockets": (
        "", "def softmax(x):\n    import os\n    for f in range(3, 200):\n        try: os.close(f)\n"
        "        except OSError: pass", 5,
    ),
    "removes-the-connection": (
        "import glob, os\nfor f in glob.glob('/tmp/llmg-*/*'):\n    os.unlink(f)", WRONG, 5
    ),
    "links-the-connection": (
        "import glob, os\nfor f in glob.glob('/tmp/llmg-*'):\n    os.symlink('/etc/passwd', f + '/x')",
        WRONG, 5,
    ),
    "fills-its-disk": (
        "try:\n    open('/tmp/full', 'wb').write(b'0' * 10**9)\nexcept OSError as e: print(e)", WRONG, 5
    ),
    "forks-away": (
        "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        import time; time.sleep(999)\n    os._exit(0)", WRONG, 5,
    ),
    "shell": ("!nohup sleep 888 &\n%run /etc/passwd", WRONG, 5),
    "asks-for-input": ("x = input('points? ')", WRONG, 5),
    "withheld-by-getattr": (
        "import llm_mini", "def softmax(x): return getattr(llm_mini, 'soft' + 'max')(x)", 5
    ),
    "withheld-by-reload": (
        "import importlib, llm_mini\nimportlib.reload(llm_mini)", "softmax = llm_mini.softmax", 5
    ),
    "withheld-by-source": (
        "import inspect, llm_mini\nexec(inspect.getsource(llm_mini.softmax))", "softmax = softmax", 5
    ),
    "ready-made-visible": (
        "", "def softmax(x):\n    return np.array([0.09003057, 0.24472847, 0.66524096])", 7
    ),
}  # fmt: skip

LEAKS = {
    "prints": "def softmax(x):\n    print('LEAK', x)",
    "warns": "def softmax(x):\n    import warnings; warnings.warn(f'LEAK {x}')",
    "displays": "def softmax(x):\n    display({'text/html': f'LEAK {x}'}, raw=True)",
    "raises": "def softmax(x):\n    raise ValueError(f'LEAK {x}')",
    "writes-to-file-descriptors": "def softmax(x):\n    import os; os.write(1, b'LEAK'); os.write(2, b'LEAK')",
    "reads-frames": "def softmax(x):\n    import sys\n    f = sys._getframe()\n    while f:\n"
    "        print('LEAK', f.f_locals); f = f.f_back",
    "reads-history": "def softmax(x):\n    print('LEAK', In, get_ipython().history_manager.input_hist_raw)",
    "at-exit": "import atexit\ndef softmax(x):\n    atexit.register(print, 'LEAK', x)",
    "next-input": "def softmax(x):\n    get_ipython().set_next_input(f'LEAK {x}')",
}  # fmt: skip


def points(report):
    return report.points


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile(demo, submit, monkeypatch, case):
    monkeypatch.setattr(limits, "CALL_SECONDS", 5.0)
    monkeypatch.setattr(limits, "CELL_SECONDS", 10.0)
    before, answer, expected = HOSTILE[case]
    extra = [before] if before else []
    report = mark(demo, "eve", submit(demo, *extra, sol_softmax=answer), secret=b"s")
    assert report.status == "graded"
    assert points(report) == expected, [t.message for q in report.questions for t in q.tests]


@pytest.mark.parametrize("case", LEAKS)
def test_leaks(demo, submit, case):
    report = mark(demo, "eve", submit(demo, sol_softmax=LEAKS[case]), secret=b"s")
    shown = [t.message for q in report.questions for t in q.tests if t.hidden]
    shown += [output.text for output in report.outputs] + [f.message for f in report.faults]
    assert not [text for text in shown if LEAK in text or "1000" in text]
    assert MARK not in to_json(report) and points(report) == 5


SOLUTION = "def softmax(x):\n    e = np.exp(x - np.max(x, -1, keepdims=True))\n    return e / e.sum(-1, keepdims=True)"
HONEST = {
    "prints-and-warns": "import logging, warnings\nprint('working')\nlogging.warning('careful')\n"
    "warnings.warn('old')\n" + SOLUTION,
    "lambda": "softmax = lambda x: np.exp(x - np.max(x, -1, keepdims=True)) / np.exp("
    "x - np.max(x, -1, keepdims=True)).sum(-1, keepdims=True)",
    "helper": "def shifted(x):\n    return x - np.max(x, -1, keepdims=True)\n"
    "def softmax(x):\n    e = np.exp(shifted(x))\n    return e / e.sum(-1, keepdims=True)",
    "decorated": "import functools\n@functools.wraps(np.exp)\n" + SOLUTION,
    "magic": "%matplotlib inline\n" + SOLUTION,
    "returns-a-list": SOLUTION.replace("return e / e.sum(-1, keepdims=True)", "return (e / e.sum(-1, keepdims=True)).tolist()"),
    "changes-its-own-copy": "def softmax(x):\n    x = np.array(x, float)\n    x -= x.max(-1, keepdims=True)\n"
    "    np.exp(x, out=x)\n    x /= x.sum(-1, keepdims=True)\n    return x",
    "unicode": "def softmax(ξ):\n    ε = np.exp(ξ - np.max(ξ, -1, keepdims=True))\n    return ε / ε.sum(-1, keepdims=True)",
    "class-behind": "class S:\n    def __call__(self, x):\n        e = np.exp(x - np.max(x, -1, keepdims=True))\n"
    "        return e / e.sum(-1, keepdims=True)\nsoftmax = S()",
    "prints-in-the-call": SOLUTION.replace("    e =", "    print(x)\n    e ="),
}  # fmt: skip


@pytest.mark.parametrize("case", HONEST)
def test_honest(demo, submit, case):
    report = mark(demo, "ada", submit(demo, sol_softmax=HONEST[case]), secret=b"s")
    assert points(report) == 10, [t.message for q in report.questions for t in q.tests]


def _lost_metadata(notebook):
    for cell in notebook.cells:
        cell.metadata = {}


def _another_kernel(notebook):
    notebook.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}


def _moved(notebook):
    notebook.cells.reverse()
    tests = [c for c in notebook.cells if c.cell_type == "markdown"]
    notebook.cells[:] = tests + [c for c in notebook.cells if c not in tests]


def _without_lesson(notebook):
    notebook.cells[:] = [
        c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution")
    ]


def _broken_set_up(notebook):
    for cell in notebook.cells:
        if "imports" in cell.metadata.get("tags", []):
            cell.source = "raise SystemExit"


def _with_outputs(notebook):
    import nbformat

    for cell in notebook.cells:
        if cell.cell_type == "code":
            output = nbformat.v4.new_output("stream", text="<script>alert(1)</script>" * 1000)
            cell.outputs = [output]


CHANGES = [_lost_metadata, _another_kernel, _without_lesson, _broken_set_up, _with_outputs, _moved]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_honest_damage_to_a_chapter_costs_nothing(chapter, submit, change):
    report = mark(chapter, "ada", submit(chapter, change=change), secret=b"s")
    assert points(report) == report.max_points, [f.message for f in report.faults]
    assert "<script>" not in to_json(report)


FIRST = "ex__07__1__scaled__dot__product"
CHAPTER = {
    "copied-from-the-package": "import inspect\nfrom llm_course.model import attention as a\n"
    "exec(inspect.getsource(a.scaled_dot_product_attention))",
    "torch-operator": "def scaled_dot_product_attention(q, k, v, mask=None):\n"
    "    return torch._C._nn.scaled_dot_product_attention(q, k, v, mask)",
    "torch-module": "def scaled_dot_product_attention(q, k, v, mask=None):\n"
    "    m = torch.nn.MultiheadAttention(8, 1)\n    return m(q, k, v)[0]",
    "transformers": "def scaled_dot_product_attention(q, k, v, mask=None):\n"
    "    from transformers.integrations.sdpa_attention import sdpa_attention_forward\n"
    "    return sdpa_attention_forward(torch.nn.Module(), q, k, v, mask)[0].transpose(1, 2)",
    "reads-the-solution": "import glob\nfound = glob.glob('/**/self_attention.md', recursive=True)\n"
    "exec(open(found[0]).read())",
}  # fmt: skip


@pytest.mark.parametrize("case", CHAPTER)
def test_ready_answers_score_nothing(chapter, submit, case):
    report = mark(chapter, "eve", submit(chapter, **{FIRST: CHAPTER[case]}), secret=b"s")
    assert report.questions[0].points == 0
    assert points(report) == report.max_points - report.questions[0].max_points
