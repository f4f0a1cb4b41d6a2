"""A worker, spoken to in its own protocol. Each test starts real kernels."""

import json
import os
import subprocess
import sys
import time

import nbformat
import pytest

from llm_course.classroom.execute.kernel_setup import kernel_environment
from llm_course.classroom.execute.pool import COMMAND

pytestmark = pytest.mark.notebook

PARAMETERS = {"SCALE": "cpu", "DEVICE": "cpu", "SEED": 3}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    with kernel_environment(tmp_path_factory.mktemp("course"), seed=3) as found:
        home = tmp_path_factory.mktemp("home")
        yield found | {"HOME": str(home), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def worker(environment):
    """One worker for the whole module, as for a whole run."""
    process = start(environment)
    yield process
    process.stdin.close()
    assert process.wait(20) == 0


def start(environment):
    return subprocess.Popen(
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )


def send(worker, folder, *sources):
    cells = [nbformat.v4.new_code_cell("SCALE = 'x'\nDEVICE = 'x'\nSEED = 0", id="parameters")]
    cells[0].metadata["tags"] = ["parameters"]
    cells += [nbformat.v4.new_code_cell(s, id=f"cell-{i}") for i, s in enumerate(sources)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    task = {"notebook": nbformat.writes(notebook), "parameters": PARAMETERS, "folder": str(folder)}
    worker.stdin.write(json.dumps(task) + "\n")
    worker.stdin.flush()


def run(worker, folder, *sources):
    """The events of one notebook; the last is ``done``."""
    send(worker, folder, *sources)
    events = []
    while not events or events[-1]["event"] != "done":
        events.append(json.loads(worker.stdout.readline()))
    return events


def outputs(done):
    notebook = nbformat.reads(done["text"], as_version=4)
    return ["".join(str(o.get("text", o.get("data"))) for o in c.outputs) for c in notebook.cells]


def test_parameters_reach_the_kernel_which_is_this_python(worker, tmp_path):
    code = "import sys, os\nprint(SCALE, DEVICE, SEED, sys.executable, os.getcwd(), sep='|')"
    *cells, done = run(worker, tmp_path, code)
    assert outputs(done)[1].strip() == f"cpu|cpu|3|{sys.executable}|{tmp_path}"
    assert [event["event"] for event in cells] == ["cell"] * 3
    assert done["seconds"] > 0


def test_figures_are_drawn_inline_with_an_empty_home_folder(worker, tmp_path):
    code = "from matplotlib import pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    (done,) = [e for e in run(worker, tmp_path, code) if e["event"] == "done"]
    assert "image/png" in outputs(done)[1]


def test_what_a_notebook_prints_does_not_disturb_the_protocol(worker, tmp_path):
    forged = b'{"event": "done"}\n'
    code = f"import os\nos.system('echo loud')\nos.write(1, {forged})\nprint('quiet')"
    assert "quiet" in outputs(run(worker, tmp_path, code)[-1])[1]


def test_progress_bars_stay_out_of_the_page(worker, tmp_path):
    code = "from tqdm import tqdm\nfor _ in tqdm(range(3)): pass\nprint('over')"
    assert outputs(run(worker, tmp_path, code)[-1])[1] == "over\n"


def test_peak_memory_is_the_kernels(worker, tmp_path):
    small = run(worker, tmp_path, "1")[-1]["peak_bytes"]
    if sys.platform != "linux":
        assert small is None, "no figure is better than a wrong one"
        return
    large = run(worker, tmp_path, "x = bytearray(300 * 2**20)", "del x")[-1]["peak_bytes"]
    assert large - small + 20 * 2**20 > 300 * 2**20
    assert run(worker, tmp_path, "1")[-1]["peak_bytes"] < large, "each notebook has its own"


def test_a_failed_cell_is_named_and_the_next_notebook_runs(worker, tmp_path):
    failed = run(worker, tmp_path, "x = 1", "1 / 0", "print('never')")[-1]
    assert "text" not in failed
    assert (failed["cell_id"], failed["error"]) == ("cell-1", "ZeroDivisionError: division by zero")
    assert any("Cell In[4], line 1" in line for line in failed["traceback"])
    assert "text" in run(worker, tmp_path, "1")[-1]


def test_a_kernel_that_dies_is_told_so_and_the_next_notebook_runs(worker, tmp_path):
    died = run(worker, tmp_path, "x = 1", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert died[-1]["cell_id"] == "cell-1"
    assert died[-1]["error"].startswith("DeadKernelError: the kernel died")
    assert "text" in run(worker, tmp_path, "1")[-1]


def test_the_kernel_dies_with_its_worker(environment, tmp_path):
    """The pool's process may be killed outright: its end of the pipe closes, and that is enough."""
    worker = start(environment)
    note = tmp_path / "pid"
    code = (
        f"import os, time\nopen({str(note)!r}, 'w').write(str(os.getpid()) + ' ')\ntime.sleep(600)"
    )
    send(worker, tmp_path, code)
    pid = int(
        wait_for(lambda: note.exists() and note.read_text().endswith(" ") and note.read_text())
    )
    worker.stdin.close()
    assert worker.wait(20) == 0
    wait_for(lambda: is_gone(pid))


def is_gone(pid):
    """Whether a process has ended, be it that nobody has collected it yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return status.stdout.strip().startswith("Z") or not status.stdout.strip()


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return found
