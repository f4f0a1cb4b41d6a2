"""The pool, with workers that follow the protocol and do whatever a test needs."""

import os
import sys
from pathlib import Path

import pytest

from llm_course.classroom.execute import pool as pools
from llm_course.classroom.execute.pool import Pool, Task

WORKER = """
import json, os, sys
print("started", os.environ["NAME"], file=sys.stderr, flush=True)
for line in sys.stdin:
    task = json.loads(line)
    if task["notebook"] == "die":
        print("out of memory", file=sys.stderr, flush=True)
        os._exit(9)
    print(json.dumps({"event": "cell"}), flush=True)
    told = {"text": task["notebook"], "pid": os.getpid(), "name": os.environ["NAME"]}
    print(json.dumps({"event": "done", "seconds": 1.0, **told}), flush=True)
"""


@pytest.fixture(autouse=True)
def fake_worker(monkeypatch):
    monkeypatch.setattr(pools, "COMMAND", (sys.executable, "-c", WORKER))


def tasks(*texts):
    return [Task(f"07_a/{i}", text, {"SEED": 0}, Path()) for i, text in enumerate(texts)]


def environments(count):
    return [{**os.environ, "NAME": f"w{index}"} for index in range(count)]


def run(given, workers, logs):
    with Pool(environments(workers), logs) as pool:
        events = list(pool.run(given))
    assert pool._processes == {}, "leaving the pool ends its workers"
    return {key: event for key, event in events if event["event"] == "done"}, events


def test_every_task_is_done_once(tmp_path):
    done, events = run(tasks(*"abcdefg"), 3, tmp_path)
    assert {key: event["text"] for key, event in done.items()} == {
        f"07_a/{i}": letter for i, letter in enumerate("abcdefg")
    }
    assert len(events) == 14


def test_workers_live_as_long_as_the_run(tmp_path):
    done, _ = run(tasks(*"abcdef"), 2, tmp_path)
    assert len({event["pid"] for event in done.values()}) <= 2
    assert {event["name"] for event in done.values()} <= {"w0", "w1"}


def test_no_more_workers_than_tasks(tmp_path):
    run(tasks("a"), 4, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["worker-0.log"]


def test_a_worker_that_dies_costs_its_task_only(tmp_path):
    done, _ = run(tasks("a", "die", "b", "die", "c"), 1, tmp_path)
    assert [event.get("text") for event in done.values()] == ["a", None, "b", None, "c"]
    error = done["07_a/1"]["error"]
    assert error.startswith("WorkerDied:") and "status 9" in error and "out of memory" in error


def test_an_exception_in_the_middle_ends_the_workers(tmp_path):
    pool = Pool(environments(2), tmp_path)
    with pytest.raises(KeyboardInterrupt), pool:
        for _ in pool.run(tasks(*"abcd")):
            processes = list(pool._processes.values())
            raise KeyboardInterrupt
    assert all(process.poll() is not None for process in processes)


def test_a_worker_that_does_not_end_is_killed(tmp_path, monkeypatch):
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    monkeypatch.setattr(pools, "COMMAND", (sys.executable, "-c", deaf))
    monkeypatch.setattr(pools, "PATIENCE", 0.2)
    pool = Pool(environments(1), tmp_path)
    pool._start(0)
    process = pool._processes[0]
    pool.close()
    assert process.returncode == -9
