"""Candidates that loop, eat memory, end Python or change the world cost nobody else anything."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llm_course.classroom.author.exercises import Exercise
from llm_course.classroom.grade.mutation import mutant_runner
from llm_course.classroom.grade.mutation.mutant_runner import Runner, judge
from llm_course.errors import CourseError

EXERCISE = Exercise(
    label="ex-00-1-double",
    title="Double",
    function_name="double",
    points=2,
    stars=1,
    minutes=5,
    optional=False,
    line=10,
    path="solutions/00_sample/numbers.md",
    setup="import math\nimport nowhere_to_be_found_but_never_used",
    solution_source="def double(x):\n    return 2 * x",
    stub_source="def double(x):\n    raise NotImplementedError",
    visible_test="assert double(1) == 2, 'twice 1 is 2'",
    hidden_test="assert double(math.pi) == 2 * math.pi, 'twice pi'",
)

ONE_LINERS = {
    "right": "return x + x",
    "visibly wrong": "return 0",
    "wrong for pi": "return int(x) * 2",
    "loops": "\n    while True: pass",
    "eats memory": "return len(bytearray(50 * 2**30))",
    "exits": "raise SystemExit(0)",
    "dies": "import os; os.kill(os.getpid(), 9)",
    "prints much": "print('x' * 10**6); return 2 * x",
    "changes the world": "math.pi = 3; return 2 * x",
}


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(2) as runner:
        yield runner


def cell(body: str) -> str:
    """A solution cell."""
    return f"def double(x):\n    {body}"


@pytest.fixture(scope="module")
def outcomes(runner: Runner) -> dict[str, tuple[bool, str, str]]:
    """What came of each candidate above, all run together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mutant_runner, "LEAST_SECONDS", 1)
        found = runner.outcomes(EXERCISE, [cell(body) for body in ONE_LINERS.values()])
        return {
            name: (outcome.passed, outcome.which, outcome.message)
            for name, outcome in zip(ONE_LINERS, found, strict=True)
        }


@pytest.mark.parametrize(
    ("name", "passed", "which"),
    [
        ("right", True, ""),
        ("visibly wrong", False, "visible"),
        ("wrong for pi", False, "hidden"),
        ("loops", False, "limit"),
        ("eats memory", False, "visible"),
        ("exits", False, "limit"),
        ("dies", False, "limit"),
        ("prints much", True, ""),
    ],
)
def test_each_candidate_gets_its_own_outcome(
    outcomes: dict[str, tuple[bool, str, str]], name: str, passed: bool, which: str
) -> None:
    assert outcomes[name][:2] == (passed, which)


def test_a_failure_keeps_its_message(outcomes: dict[str, tuple[bool, str, str]]) -> None:
    assert outcomes["visibly wrong"][2] == "twice 1 is 2"
    assert outcomes["eats memory"][2].startswith("MemoryError")


def test_nothing_passes_from_one_candidate_to_the_next(runner: Runner) -> None:
    candidates = [cell(ONE_LINERS["changes the world"]), cell("return 2 * x")] * 3
    candidates.append(cell("return 2 * (x if math.pi > 3 else 0)"))
    assert all(outcome.passed for outcome in runner.outcomes(EXERCISE, candidates))


def test_a_solution_that_fails_is_an_error(runner: Runner) -> None:
    broken = replace(EXERCISE, solution_source=cell("return x"))
    with pytest.raises(CourseError, match="ex-00-1-double: expected a solution that passes, got"):
        list(runner.outcomes(broken, [cell("return 2 * x")]))


def test_a_slow_solution_lends_its_time_to_the_candidates() -> None:
    lean = replace(EXERCISE, setup="import math, time")
    busy = cell("end = time.process_time() + 0.3\n    while time.process_time() < end: pass\n    "
                "return 2 * x")  # fmt: skip
    outcome, seconds = judge(lean, busy, 20)
    assert outcome.passed
    assert 0.5 < seconds < 10


def test_one_that_sleeps_is_ended_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutant_runner, "PATIENCE", 0.5)
    lean = replace(EXERCISE, setup="import math")
    outcome, _ = judge(lean, cell("import time; time.sleep(10**6)"), 1)
    assert (outcome.passed, outcome.which) == (False, "limit")


def test_what_a_candidate_starts_ends_with_it(runner: Runner, tmp_path: Path) -> None:
    told = tmp_path / "pid"
    forks = (
        "import os, time\n    child = os.fork()\n    if not child: time.sleep(10**6)\n"
        f"    open({str(told)!r}, 'a').write(f'{{child}} ')\n    return 2 * x"
    )
    (outcome,) = runner.outcomes(EXERCISE, [cell(forks)])
    assert outcome.passed
    started = [int(word) for word in told.read_text().split()]
    assert len(started) == 2, "one for each call"
    assert all(_ends(process) for process in started)


def _ends(process: int) -> bool:
    """Whether a process is gone or waits to be buried; a kill may take a moment."""
    stat = Path(f"/proc/{process}/stat")
    for _ in range(500):
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_no_worker_is_left() -> None:
    with Runner(1) as other:
        list(other.outcomes(EXERCISE, [cell("return x")]))
        workers = list(other._pool._processes.values())
    assert workers and all(not worker.is_alive() for worker in workers)
