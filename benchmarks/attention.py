"""Explicit and fused attention of the course against PyTorch's own, forward, causal.

Run it alone: ``python benchmarks/attention.py``. It prints a table and writes its result to
``benchmarks/results/attention.json``, from which the book's page of benchmarks is made.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional

from llm_course.classroom.book.benchmark_result import record_result
from llm_course.model.attention import fused_attention, scaled_dot_product_attention
from llm_course.model.masks import causal_mask

RESULT = Path(__file__).parent / "results" / "attention.json"
LENGTHS, REPEATS = (256, 1024, 2048), 7


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def row(length: int) -> list[str]:
    """Median times at one length, each way in turn, as ratios to PyTorch's."""
    generator = torch.Generator().manual_seed(0)
    heads = [torch.randn(1, 8, length, 64, generator=generator) for _ in range(3)]
    mask = causal_mask(length, length)
    ways = {
        "torch": lambda: functional.scaled_dot_product_attention(*heads, attn_mask=mask),
        "fused": lambda: fused_attention(*heads, mask),
        "explicit": lambda: scaled_dot_product_attention(*heads, mask),
    }
    times = {name: [] for name in ways}
    for _ in range(REPEATS + 1):
        for name, work in ways.items():
            times[name].append(seconds(work))
    median = {name: statistics.median(taken[1:]) for name, taken in times.items()}
    ratios = [f"{median[name] / median['torch']:.2f}" for name in ("fused", "explicit")]
    return [str(length), f"{median['torch'] * 1e3:.1f}", *ratios]


def main() -> None:
    """Measure, print and record."""
    with torch.no_grad():
        rows = [row(length) for length in LENGTHS]
    threads = torch.get_num_threads()
    record_result(
        RESULT,
        title="Attention, forward",
        what="One sequence, 8 heads of 64 features, fp32, the same causal mask for all three. "
        "The explicit version builds the matrix of weights, which is what a lesson shows; the "
        "fused one is what the course's models run. Median of "
        f"{REPEATS} after one that is not counted.",
        command=f"OMP_NUM_THREADS={threads} python benchmarks/attention.py",
        columns=["length", "PyTorch, ms", "fused / PyTorch", "explicit / PyTorch"],
        rows=rows,
        packages=["torch"],
    )


if __name__ == "__main__":
    main()
