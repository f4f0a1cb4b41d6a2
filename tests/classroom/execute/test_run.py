"""Whole runs over small courses, with real workers and kernels."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import termios
import textwrap
import time
from pathlib import Path

import nbformat
import pytest

from llm_course.classroom.author import chapter_text
from llm_course.classroom.course import notebooks
from llm_course.classroom.execute import cache
from llm_course.classroom.execute.run import execute
from llm_course.errors import CourseError

pytestmark = pytest.mark.notebook

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module", autouse=True)
def fonts(tmp_path_factory):
    """One list of fonts for all the small courses: it takes matplotlib seconds to make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLCONFIGDIR", str(tmp_path_factory.mktemp("matplotlib")))
        yield


def write_chapter(root: Path, key: str, *cells: str) -> Path:
    """A small chapter of code cells, below one heading."""
    parameters = '---\ntags: [parameters]\n---\nSCALE = "cpu"\nDEVICE = "cpu"\nSEED = 0'
    fences = [
        f"```{{code-cell}} ipython3\n{c}\n```\n" for c in (parameters, *map(str.strip, cells))
    ]
    head = (
        "---\nkernelspec: {display_name: Python 3, language: python, name: python3}\n---\n# A title"
    )
    path = root / "solutions" / f"{key}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join([head, *fences]))
    (root / "_config.yml").touch()
    return path


def states(results):
    return {result.notebook.key: result.status for result in results}


@pytest.fixture(scope="module")
def executed_sample(tmp_path_factory, fonts):
    """The sample course, executed once."""
    sample = Path(__file__).parents[1] / "sample_course"
    root = Path(shutil.copytree(sample, tmp_path_factory.mktemp("sample") / "course"))
    return root, execute(root, seed=4, jobs=1)


def test_solutions_and_hidden_tests_run_as_they_stand(executed_sample):
    root, (result,) = executed_sample
    assert (result.status, result.failure) == ("executed", None)
    assert result.path == root / "build" / "executed" / "cpu" / "07_sample" / "counting.ipynb"
    notebook = nbformat.read(result.path, as_version=4)
    authored = chapter_text.read(notebooks(root)[0])
    assert [cell.id for cell in notebook.cells] == [cell.id for cell in authored.cells]
    assert all(c.execution_count for c in notebook.cells if c.cell_type == "code")
    assert "SEED = 4" in next(c.source for c in notebook.cells if c.cell_type == "code")
    assert result.seconds > 0
    assert result.peak_bytes is None or result.peak_bytes > 2**20


def test_a_second_run_is_cached_and_a_forced_one_gives_the_same_bytes(executed_sample):
    root, (first,) = executed_sample
    before = first.path.read_bytes()
    (again,) = execute(root, seed=4)
    assert (again.status, again.seconds) == ("cached", first.seconds)
    (forced,) = execute(root, seed=4, force=True)
    assert forced.status == "executed"
    assert first.path.read_bytes() == before, "an executed file must be stable"


def test_nothing_is_left_but_the_notebook_and_its_record(executed_sample):
    root, _ = executed_sample
    files = {p.relative_to(root / "build").as_posix() for p in (root / "build").rglob("*")}
    folder = "executed/cpu/07_sample"
    assert files == {
        "executed",
        "executed/cpu",
        folder,
        f"{folder}/counting.ipynb",
        f"{folder}/counting.json",
    }


def test_one_failure_leaves_the_others_alone_and_is_told_in_full(tmp_path):
    write_chapter(tmp_path, "01_a/good", "print('good')")
    path = write_chapter(tmp_path, "01_a/bad", "x = 1", "y = 2\nassert x == y, 'they differ'")
    write_chapter(tmp_path, "02_b/good", "print('good')")
    results = execute(tmp_path, jobs=2)
    assert states(results) == {
        "01_a/bad": "failed",
        "01_a/good": "executed",
        "02_b/good": "executed",
    }
    failure = results[0].failure
    line = path.read_text().splitlines().index("assert x == y, 'they differ'") + 1
    assert str(failure) == textwrap.dedent(f"""\
        01_a/bad: failed at “A title”
          solutions/01_a/bad.md:{line}: AssertionError: they differ
          │ Traceback (most recent call last):
          │   Cell In[4], line 2
          │     assert x == y, 'they differ'
          │ AssertionError: they differ""")
    assert not results[0].path.exists(), "a failed notebook leaves no executed file"
    path.write_text(path.read_text().replace("y = 2", "y = 1"))
    assert states(execute(tmp_path)) == {
        "01_a/bad": "executed",
        "01_a/good": "cached",
        "02_b/good": "cached",
    }


def test_only_what_was_asked_for_runs_and_what_is_damaged_runs_again(tmp_path):
    for key in ("01_a/x", "02_b/y"):
        write_chapter(tmp_path, key, "1 + 1")
    (first,) = execute(tmp_path, only=["01_a"])
    assert first.notebook.key == "01_a/x"
    first.path.write_text(first.path.read_text()[:100])
    assert states(execute(tmp_path)) == {"01_a/x": "executed", "02_b/y": "executed"}
    cache.record_path(first.path).write_text("{")
    assert states(execute(tmp_path)) == {"01_a/x": "executed", "02_b/y": "cached"}


def test_scales_lie_beside_each_other(tmp_path):
    write_chapter(tmp_path, "01_a/x", "print(SCALE)")
    paths = [execute(tmp_path, scale=scale)[0].path for scale in ("cpu", "gpu")]
    assert [path.parts[-3] for path in paths] == ["cpu", "gpu"]
    texts = [nbformat.read(path, as_version=4).cells[-1].outputs[0].text for path in paths]
    assert texts == ["cpu\n", "gpu\n"]


def test_notebooks_run_at_the_same_time(tmp_path):
    """Each waits for the other: one after the other, they would wait for ever."""
    for here, there in (("x", "y"), ("y", "x")):
        write_chapter(
            tmp_path,
            f"01_a/{here}",
            f"""
import pathlib, time
pathlib.Path({str(tmp_path / here)!r}).touch()
for _ in range(600):
    if pathlib.Path({str(tmp_path / there)!r}).exists():
        break
    time.sleep(0.05)
else:
    raise RuntimeError("the other one never came")
""",
        )
    assert set(states(execute(tmp_path, jobs=2)).values()) == {"executed"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": "tpu"}, "SCALE: expected cpu or gpu, got 'tpu'"),
        ({"only": ["99_none"]}, "unknown chapter or notebook '99_none'"),
        ({"jobs": 0}, "jobs: expected 1 or more, got 0"),
    ],
)
def test_bad_input_is_told_before_anything_runs(tmp_path, arguments, message):
    write_chapter(tmp_path, "01_a/x", "1")
    with pytest.raises(CourseError, match=message):
        execute(tmp_path, **arguments)
    assert not (tmp_path / "build").exists()


def test_nothing_is_shown_where_no_one_looks(tmp_path, capfd):
    write_chapter(tmp_path, "01_a/x", "import os\nprint('page')\nos.system('echo terminal')")
    execute(tmp_path)
    assert capfd.readouterr() == ("", "")


def interrupted(root: Path, number: signal.Signals) -> tuple[subprocess.Popen, dict[str, int]]:
    """A run of a notebook that sleeps, ended by a signal once its kernel and a child are there."""
    note = root / "pids.json"
    write_chapter(
        root,
        "01_a/sleeper",
        f"""
import json, os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pids = {{"kernel": os.getpid(), "worker": os.getppid(), "child": child.pid}}
with open({str(note)!r} + ".new", "w") as file:
    json.dump(pids | {{"runtime": os.environ["JUPYTER_RUNTIME_DIR"]}}, file)
os.rename({str(note)!r} + ".new", {str(note)!r})
time.sleep(600)
""",
    )
    write_chapter(root, "01_a/quick", "1")
    # A shell starts what it puts in the background deaf to Ctrl-C, and that is inherited.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"from llm_course.classroom.execute.run import execute; execute({str(root)!r}, jobs=2)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    quick = root / "build" / "executed" / "cpu" / "01_a" / "quick.json"
    wait_for(lambda: note.exists() and quick.exists())
    os.killpg(process.pid, number)  # as a terminal does: to every process of the group
    return process, json.loads(note.read_text())


def is_gone(pid: int) -> bool:
    """Whether a process has ended, be it that nobody has collected it yet."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return shown.stdout.strip()[:1] in ("", "Z")


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_ctrl_c_leaves_no_process_and_no_broken_file(tmp_path):
    process, pids = interrupted(tmp_path, signal.SIGINT)
    _, shown = process.communicate(timeout=30)
    assert process.returncode != 0 and "KeyboardInterrupt" in shown
    for name in ("kernel", "worker", "child"):
        assert is_gone(pids[name]), f"the {name} is still there"
    assert not Path(pids["runtime"]).exists()
    left = [path for path in (tmp_path / "build").rglob("*") if path.is_file()]
    assert {path.name for path in left} == {"quick.ipynb", "quick.json"}
    nbformat.validate(nbformat.read(tmp_path / "build/executed/cpu/01_a/quick.ipynb", as_version=4))
    assert states(execute(tmp_path, only=["quick"])) == {"01_a/quick": "cached"}


def test_a_kill_leaves_no_process(tmp_path):
    process, pids = interrupted(tmp_path, signal.SIGKILL)
    process.communicate(timeout=30)
    for name in ("worker", "kernel", "child"):
        wait_for(lambda name=name: is_gone(pids[name]), seconds=20)
    shutil.rmtree(pids["runtime"], ignore_errors=True)


def test_a_terminal_shows_how_many_cells_are_done(tmp_path):
    write_chapter(tmp_path, "01_a/x", "1", "2", "3")
    code = f"from llm_course.classroom.execute.run import execute; execute({str(tmp_path)!r})"
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    process = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal's other end says that it was closed
        while piece := os.read(ours, 2**16):
            shown += piece
    os.close(ours)
    assert process.wait(60) == 0
    shown = shown.decode()
    assert "notebooks:" in shown
    assert "5/5 [" in shown, "three cells, the parameters and papermill's own"
