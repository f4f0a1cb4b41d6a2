import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy
import torch

from llm_course.parallel.rank_process import as_plain

PARENT = """
import time
from llm_course.parallel.launcher import RankPool

if __name__ == "__main__":
    pool = RankPool(2)
    print(*[process.pid for process in pool.processes], flush=True)
    time.sleep(600)
"""


def test_tensors_cross_as_arrays():
    plain = as_plain({"a": torch.ones(2), "b": [torch.zeros(1), ("x", 3)]})
    assert isinstance(plain["a"], numpy.ndarray) and isinstance(plain["b"][0], numpy.ndarray)
    assert plain["b"][1] == ("x", 3)


def test_ranks_end_with_the_process_that_started_them_even_if_it_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    ranks = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(ranks) == 2 and all(map(exists, ranks))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 60
    while any(map(exists, ranks)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(exists, ranks)), "expected no orphan"


def exists(pid):
    """Whether a process runs; one that has ended but was not yet collected does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"
