"""Jobs run elsewhere; a worker that ends costs its job at most."""

import os
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from threading import Timer

import pytest

from llm_course.errors import CourseError
from llm_course.executors import executor, run_jobs


def upper(text):
    return text.upper()


def dies_once(text):
    """Ends its process the first time it sees a marked job."""
    if text.startswith("/") and not Path(text).exists():
        Path(text).touch()
        os._exit(9)
    return "survived" if text.startswith("/") else text.upper()


def always_dies(text):
    if text == "die":
        os._exit(9)
    return text


def raises(text):
    raise ValueError(text)


def results(work, texts, jobs=2):
    with executor(jobs) as new:
        made = [(name, lambda text=text: text) for name, text in enumerate(texts)]
        return dict(run_jobs(work, made, new, at_once=2 * jobs))


def test_every_job_is_answered():
    assert results(upper, list("abcdefgh")) == dict(enumerate("ABCDEFGH"))


def test_a_worker_that_ends_is_replaced_and_its_job_tried_again(tmp_path):
    found = results(dies_once, ["a", str(tmp_path / "mark"), "b"])
    assert found == {0: "A", 1: "survived", 2: "B"}


def test_a_job_that_always_ends_its_worker_costs_nobody_else():
    found = results(always_dies, ["a", "die", "b", "c"], jobs=1)
    assert isinstance(found.pop(1), Exception)
    assert found == {0: "a", 2: "b", 3: "c"}


class Fragile(Executor):
    """A pool in which a job that dies takes all others in flight along, as processes do."""

    def __init__(self):
        self.flying, self.broken = [], False

    def submit(self, work, text):
        if self.broken:
            raise BrokenProcessPool
        future, dies = Future(), text == "die"
        self.flying.append(future)
        Timer(0.02 if dies else 0.2, self._end, (future, None if dies else text)).start()
        return future

    def _end(self, future, result):
        self.broken |= result is None
        for one in [future] if result else self.flying:
            if not one.done():
                one.set_result(result) if result else one.set_exception(BrokenProcessPool())


@pytest.mark.parametrize("deadly", [1, 2])
def test_those_in_flight_beside_a_deadly_job_are_answered(deadly):
    texts = ["a"] + ["die"] * deadly + ["b", "c"]
    made = [(name, lambda text=text: text) for name, text in enumerate(texts)]
    found = dict(run_jobs(upper, made, Fragile, at_once=4))
    for name, text in enumerate(texts):
        if text == "die":
            assert isinstance(found[name], BrokenProcessPool)
        else:
            assert found[name] == text, f"job {name} was blamed for another"


def test_a_pool_serves_again_until_it_breaks():
    with executor(1) as new:
        pool = new()
        assert new() is pool
        with pytest.raises(BrokenProcessPool):
            pool.submit(always_dies, "die").result()
        assert new() is not pool
        assert new().submit(upper, "a").result() == "A"


def test_workers_end_with_the_process_that_started_them(tmp_path):
    """Killed, it cannot tell them; they are busy or idle, and end all the same."""
    command = [sys.executable, "-c", START, str(tmp_path)]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])
    }
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as starter:
        workers = [int(pid) for pid in starter.stdout.readline().split()]
        starter.kill()
    assert len(set(workers)) == 2
    for _ in range(300):
        if not any(map(is_alive, workers)):
            return
        time.sleep(0.1)
    raise AssertionError(f"of the workers {workers} one is still alive")


START = """
import sys, time
from concurrent.futures import wait
from llm_course.executors import executor
import test_executors
if __name__ == "__main__":
    with executor(2) as new:
        pool = new()
        futures = [pool.submit(test_executors.own_pid, str(i)) for i in range(2)]
        print(*(future.result() for future in futures), flush=True)
        time.sleep(60)
"""


def own_pid(text):
    time.sleep(1)  # so that the other worker takes the other job
    return str(os.getpid())


def is_alive(pid):
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_an_exception_is_a_result():
    assert isinstance(results(raises, ["a"])[0], ValueError)


def test_few_jobs_are_made_ahead():
    ahead = []

    def make(number):
        ahead.append(number)
        return str(number)

    with executor(1) as new:
        jobs = [(n, lambda n=n: make(n)) for n in range(10)]
        for done, _ in enumerate(run_jobs(upper, jobs, new, at_once=2), start=1):
            assert len(ahead) <= done + 2


def test_without_dask_a_cluster_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    wanted = r"Fix: pip install 'llm-course\[cluster\]'"
    with pytest.raises(CourseError, match=wanted), executor(1, "tcp://127.0.0.1:1"):
        pass
