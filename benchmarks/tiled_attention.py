"""Tiled attention of the course against PyTorch's fused and the explicit one, with gradients.

Run it alone: ``python benchmarks/tiled_attention.py``. It prints a table and writes its result to
``benchmarks/results/tiled_attention.json``. Times are measured in turn in one process; the memory
of each way in a process of its own, as what forward and backward add to the peak (``VmHWM``).
"""

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from llm_course.classroom.book.benchmark_result import Goal, record_result
from llm_course.model.attention import scaled_dot_product_attention
from llm_course.model.flash_attention import flash_attention
from llm_course.model.masks import causal_mask
from llm_course.model.sparse_attention import banded_attention

RESULTS = Path(__file__).parent / "results"
REPEATS, WINDOW = 5, 256
LONG = ("2048", "4096")
Way = Callable[..., Tensor]


def way(name: str, length: int) -> Way:
    """One of those that are compared, all causal."""
    if name == "explicit":
        return partial(scaled_dot_product_attention, mask=causal_mask(length))
    return {
        "torch": partial(functional.scaled_dot_product_attention, is_causal=True),
        "tiled": partial(flash_attention, causal=True),
        "window": partial(banded_attention, window=WINDOW),
    }[name]


def heads(length: int) -> list[Tensor]:
    """Queries, keys and values of one sequence, 8 heads of 64 features."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(1, 8, length, 64, generator=generator).requires_grad_() for _ in range(3)]


def both_passes(attend: Way, inputs: list[Tensor]) -> None:
    """Forward and backward."""
    torch.autograd.grad(attend(*inputs).sum(), inputs)


def seconds(names: list[str], length: int) -> dict[str, float]:
    """The median time of both passes, the ways in turn; the first turn is not counted."""
    inputs, known = heads(length), {name: way(name, length) for name in names}
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(REPEATS + 1):
        for name in names:
            start = time.perf_counter()
            both_passes(known[name], inputs)
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken[1:]) for name, taken in times.items()}


def peak() -> int:
    """The largest resident memory of this process so far, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


def memory(name: str, length: int) -> float:
    """MiB that both passes add to the peak of a fresh process."""
    words = [sys.executable, __file__, "--memory", name, str(length)]
    found = subprocess.run(words, capture_output=True, text=True, check=True)
    return float(found.stdout)


def added(name: str, length: int) -> float:
    """MiB that both passes add to the peak of this process."""
    both_passes(way(name, 64), heads(64))  # what is allocated once, whatever the length
    inputs = heads(length)
    before = peak()
    both_passes(way(name, length), inputs)
    return (peak() - before) / 2**20


def measured(names: list[str], lengths: tuple[int, ...]) -> list[list[str]]:
    """Rows of time and memory against PyTorch's; of several ways, the first against the last."""
    rows = []
    for length in lengths:
        time_of = seconds(["torch", *names], length)
        memory_of = {name: memory(name, length) for name in ("torch", *names)}
        row = [str(length), f"{time_of['torch'] * 1e3:.0f}", f"{memory_of['torch']:.0f}"]
        for name in names:
            row += [f"{time_of[name] / time_of['torch']:.2f}"]
            row += [f"{memory_of[name] / memory_of['torch']:.2f}"]
        if len(names) > 1:
            row.append(f"{time_of[names[0]] / time_of[names[-1]]:.2f}")
        rows.append(row)
    return rows


def record(
    file: str,
    title: str,
    what: str,
    names: list[str],
    lengths: tuple[int, ...],
    goals: list[Goal],
) -> None:
    """Measure, print and write one table."""
    threads = torch.get_num_threads()
    labels = [f"{name} / PyTorch, {of}" for name in names for of in ("time", "memory")]
    if len(names) > 1:
        labels.append(f"{names[0]} / {names[-1]}, time")
    record_result(
        RESULTS / file,
        title=title,
        what=f"{what} One sequence, 8 heads of 64 features, fp32, forward and backward. Time: "
        f"median of {REPEATS}, in turn. Memory: what both passes add to the peak of a process.",
        command=f"OMP_NUM_THREADS={threads} python benchmarks/tiled_attention.py",
        columns=["length", "PyTorch, ms", "PyTorch, MiB", *labels],
        rows=measured(names, lengths),
        packages=["torch"],
        goals=goals,
    )


def main() -> None:
    """Both tables: tiles, and a sliding window."""
    if sys.argv[1:2] == ["--memory"]:
        print(added(sys.argv[2], int(sys.argv[3])))
        return
    tiles = "Attention in tiles, in plain PyTorch, against PyTorch's kernel; explicit attention "
    record(
        "tiled_attention.json", "Attention in tiles",
        f"{tiles}holds the matrix of weights.", ["tiled", "explicit"], (1024, 2048, 4096),
        [
            Goal(column="tiled / PyTorch, time", most=1.6, rows=LONG),
            Goal(column="tiled / PyTorch, memory", most=1.1, rows=LONG),
            Goal(column="tiled / explicit, time", most=0.33, rows=LONG),
        ],
    )  # fmt: skip
    record(
        "sliding_window.json", "Sliding window",
        f"A window of {WINDOW} keys against PyTorch's causal kernel, which scores all of them.",
        ["window"], (1024, 4096, 8192),
        [Goal(column="window / PyTorch, time", most=0.5, rows=("4096",))],
    )  # fmt: skip


if __name__ == "__main__":
    main()
