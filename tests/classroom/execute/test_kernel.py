import asyncio
import subprocess
import sys
import time

import pytest

from llm_course.classroom.execute import kernel
from llm_course.classroom.execute.kernel import CourseKernel, Run, kill_group, resident_peak


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_the_kernel_is_this_python_whatever_the_home_folder_says(runtime, monkeypatch):
    spec = runtime / "data" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text('{"argv": ["/bin/false"], "display_name": "x"}')
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(runtime / "data"))
    kernel = CourseKernel()
    assert kernel.kernel_spec.argv[0] == sys.executable
    assert kernel.transport == "ipc", "no port may be opened"


def test_a_kernel_that_never_started_can_be_killed(runtime):
    CourseKernel().kill()


def test_peak_memory_is_the_processes_own_and_remembers(tmp_path):
    """A child that frees 200 MB still shows them; one that never had them does not."""
    hold = "x = bytearray(200 * 2**20); del x; print('ready', flush=True); input()"
    idle = "print('ready', flush=True); input()"
    peaks = []
    for code in (hold, idle):
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            child.stdout.readline()
            peaks.append(resident_peak(child.pid))
            child.stdin.close()
    if sys.platform != "linux":
        assert peaks == [None, None]
    else:
        assert peaks[0] > 200 * 2**20 > peaks[1]


def test_a_process_that_is_gone_has_no_peak():
    assert resident_peak(2**22 + 1) is None


def test_a_group_is_killed_with_its_children(tmp_path):
    code = (
        "import subprocess, sys; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        "print(child.pid, flush=True); child.wait()"
    )
    leader = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    child = int(leader.stdout.readline())
    kill_group(leader.pid)
    assert leader.wait(10) == -9
    deadline = time.monotonic() + 10
    while resident_peak(child) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert resident_peak(child) is None, "the child must not outlive its group"
    kill_group(leader.pid)  # a second time does no harm


class FakeClient:
    """A kernel client that answers with one CUDA peak after another."""

    def __init__(self, *peaks):
        self.peaks = list(peaks)

    async def cuda_peak(self):
        return self.peaks.pop(0)


def test_a_run_keeps_the_largest_cuda_peak_and_tells_of_every_cell(runtime):
    told = []
    run = Run("cuda", lambda: told.append("cell"))
    client = FakeClient(10, 30, 20)  # the third cell follows a reset of the statistics
    for _ in range(3):
        asyncio.run(run.finish(client))
    assert run.device_peak_bytes == 30
    assert len(told) == 3


def test_a_run_on_a_cpu_asks_nothing_of_cuda(runtime):
    run = Run("cpu", lambda: None)
    asyncio.run(run.finish(FakeClient()))
    assert run.device_peak_bytes is None


class FakeTorch:
    """PyTorch after 5 bytes were allocated on a device."""

    class cuda:
        initialised = True

        @classmethod
        def is_initialized(cls):
            return cls.initialised

        @staticmethod
        def max_memory_allocated():
            return 5


def test_the_question_for_the_cuda_peak(monkeypatch):
    ask = lambda: eval(kernel.CUDA_PEAK)  # noqa: E731
    monkeypatch.setitem(sys.modules, "torch", FakeTorch)
    assert ask() == 5
    monkeypatch.setattr(FakeTorch.cuda, "initialised", False)
    assert ask() == 0, "a notebook that left CUDA alone must not start it"
    monkeypatch.delitem(sys.modules, "torch")
    assert ask() == 0
