"""The kernels of a submission: shared, replaced, and given up in time."""

from pathlib import Path

import pytest

import llm_course
from llm_course.classroom.grade.marking import answers as module
from llm_course.classroom.grade.marking.answers import Answers
from llm_course.classroom.grade.marking.assignment import Assignment, Question
from llm_course.classroom.grade.marking.preflight import RebuiltCell
from llm_course.classroom.grade.walls.student_kernel import KernelGone

pytestmark = pytest.mark.needs("bubblewrap")
PACKAGE = Path(llm_course.__file__).parent


def question(name, withheld=()):
    return Question(
        grade_id=name, title=name, functions=("f",), solution="", stub="", tests=(),
        withheld=withheld,
    )  # fmt: skip


ONE, TWO = question("ex-1"), question("ex-2", ("llm_course.shapes.check_shape",))


def answers(tmp_path, *sources, questions=(ONE,), answered=None):
    cells = [RebuiltCell("answer" if name else "added", name, source) for name, source in sources]
    assignment = Assignment(
        chapter="07", name="n", title="N", version="", setup=(), questions=questions, release=None
    )
    return Answers(
        assignment=assignment,
        cells=cells,
        setup=["START = 1"],
        packages=[PACKAGE],
        work=tmp_path,
        answered=frozenset(answered or (q.grade_id for q in questions)),
    )


def test_cells_run_in_order_after_the_set_up(tmp_path):
    with answers(tmp_path, ("", "half = START / 2"), ("ex-1", "def f(): return half")) as found:
        found.begin()
        assert found.call(ONE, "f", (), {}) == 0.5
        assert found.faults == [] and found.outputs == []


def test_what_cells_show_is_kept_once(tmp_path):
    sources = ("ex-1", "print('shown')\ndef f(): return 1"), ("", "1 / 0")
    with answers(tmp_path, *sources, questions=(ONE, TWO)) as found:
        found.begin()
        assert [(o.cell, o.text) for o in found.outputs] == [("ex-1", "shown\n")]
        (fault,) = found.faults
        assert fault.name == "cell-error" and "ZeroDivisionError" in fault.message
        assert not fault.cost


def test_questions_with_other_names_withheld_have_another_kernel(tmp_path):
    source = "from llm_course.shapes import check_shape\nimport os\ndef f(): return os.getpid()"
    uses = "def g():\n    check_shape('x', None, 'b')"
    with answers(tmp_path, ("ex-1", source), ("ex-2", uses), questions=(ONE, TWO)) as found:
        found.begin()
        assert len(found._rooms) == 2
        with pytest.raises(RuntimeError, match=r"withheld in grading: llm_course\.shapes"):
            found.call(TWO, "g", (), {})
        with pytest.raises(Exception) as other:
            found.call(ONE, "g", (), {})
        assert "withheld" not in str(other.value)


def test_nothing_is_run_for_questions_without_an_answer(tmp_path):
    with answers(tmp_path, questions=(ONE, TWO), answered=["ex-1"]) as found:
        found.begin()
        assert len(found._rooms) == 1


def test_after_a_death_the_cells_are_run_again(tmp_path):
    sources = (
        ("", "count = 0"),
        ("ex-1", "import os\ndef f(n):\n    n or os._exit(1)\n    return n"),
    )
    with answers(tmp_path, *sources) as found:
        found.begin()
        with pytest.raises(KernelGone):
            found.call(ONE, "f", (0,), {})
        assert found.call(ONE, "f", (5,), {}) == 5


def test_a_replay_shows_nothing_new(tmp_path):
    source = "import pathlib\nfile = pathlib.Path('/tmp/kept')\nprint(file.exists() and 'LEAK')\n"
    source += "def f(x):\n    file.write_text(str(x))\n    import os; os._exit(1)"
    with answers(tmp_path, ("ex-1", source)) as found:
        found.begin()
        for _ in range(2):
            with pytest.raises(KernelGone):
                found.call(ONE, "f", (1,), {})
        assert [output.text for output in found.outputs] == ["False\n"]


def test_cells_that_end_the_kernel_are_left_out(tmp_path):
    sources = ("", "import os; os._exit(1)"), ("ex-1", "def f(): return 3"), ("", "os._exit(2)")
    with answers(tmp_path, *sources) as found:
        found.begin()
        assert found.call(ONE, "f", (), {}) == 3
        assert [fault.name for fault in found.faults] == [
            "cell-stopped",
            "cell-error",
        ]  # os is gone


def test_deaths_are_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_DEATHS", 2)
    sources = [("", "import os; os._exit(1)")] * 5 + [("ex-1", "def f(): return 3")]
    with answers(tmp_path, *sources) as found:
        found.begin()
        with pytest.raises(KernelGone):
            found.call(ONE, "f", (), {})
        assert found.faults[-1].name == "time-limit" and found.faults[-1].cost


def test_all_kernels_end_with_the_block(tmp_path):
    with answers(tmp_path, ("ex-1", "def f(): return 1")) as found:
        found.begin()
        folder = next(iter(found._rooms.values())).kernel.runtime
        assert folder.exists()
    assert not folder.exists()
