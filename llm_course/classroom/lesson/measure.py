"""What a computation costs: the most memory that its tensors held at once, and how long it takes.

Times are for looking at, and for ratios measured in one run; no test asserts one.
"""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode


def peak_bytes(function: Callable[[], object], device: torch.device | str = "cpu") -> int:
    """The most bytes of tensors that were alive at once, beyond those alive before the call.

    On the CPU, PyTorch's profiler records every allocation and release, those inside its kernels
    included; on a CUDA device the allocator counts them itself. What ``function`` returns is
    released before the count ends, yet it was alive at the peak, and is counted.

    >>> peak_bytes(lambda: torch.zeros(1000).neg_())  # one tensor of fp32
    4000
    >>> peak_bytes(lambda: torch.zeros(1000).neg())  # two
    8000
    """
    if torch.device(device).type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        function()
        return torch.cuda.max_memory_allocated(device) - before
    # The profiler would greet on the standard error, which a notebook shows.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        function()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    changes = [event for event in events if event.get("name") == "[memory]"]
    changes.sort(key=lambda event: event["ts"])
    return max(accumulate(event["args"]["Bytes"] for event in changes), default=0)


def operations(function: Callable[[], object]) -> int:
    """The floating-point operations of all matrix products in a call, its backward pass included.

    A product of ``m k`` and ``k n`` counts ``2 m k n``: multiplications and additions.

    >>> operations(lambda: torch.ones(3, 5) @ torch.ones(5, 2))  # 2 * 3 * 5 * 2
    60
    """
    with _CountOperations() as counter:
        function()
    return counter.n


@cache
def _counts() -> dict[Any, Callable[..., int]]:
    """PyTorch's table of operations, and the attention of CPUs, which it lacks."""
    # Imported here, because that module looks for Triton, which the book's builder replaces.
    from torch.utils.flop_counter import (
        flop_registry,
        sdpa_backward_flop_count,
        sdpa_flop_count,
    )

    aten = torch.ops.aten
    return {
        **flop_registry,
        aten._scaled_dot_product_flash_attention_for_cpu: lambda query, key, value, *_, **__: (
            sdpa_flop_count(query.shape, key.shape, value.shape)
        ),
        aten._scaled_dot_product_flash_attention_for_cpu_backward: (
            lambda slope, query, key, value, *_, **__: sdpa_backward_flop_count(
                slope.shape, query.shape, key.shape, value.shape
            )
        ),
    }


class _CountOperations(TorchDispatchMode):
    """PyTorch's table of operations, without the hooks that refuse ``torch.autograd.grad``."""

    n = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        count = _counts().get(function.overloadpacket)
        if count is not None:
            self.n += count(*args, **(kwargs or {}), out_val=result)
        return result


def seconds_in_turn(
    functions: Mapping[str, Callable[[], object]],
    repeats: int = 5,
    device: torch.device | str = "cpu",
) -> dict[str, list[float]]:
    """How long each function takes, in seconds, called in turn so that all share every slow moment.

    The first round is not counted: it warms caches and compiles what is compiled.

    >>> taken = seconds_in_turn({"nothing": lambda: None, "more": lambda: sum(range(1000))}, 3)
    >>> [len(times) for times in taken.values()]
    [3, 3]
    """
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(repeats + 1):
        for name, function in functions.items():
            _wait(device)
            start = time.perf_counter()
            function()
            _wait(device)
            taken[name].append(time.perf_counter() - start)
    return {name: times[1:] for name, times in taken.items()}


def growth_exponent(sizes: list[int], costs: list[float]) -> float:
    """The ``p`` of ``cost ~ size ** p``: the slope of a straight line through the logarithms.

    >>> round(growth_exponent([1, 2, 4], [3.0, 12.0, 48.0]), 6)
    2.0
    """
    fitted = statistics.linear_regression(
        torch.tensor(sizes, dtype=torch.float64).log().tolist(),
        torch.tensor(costs, dtype=torch.float64).log().tolist(),
    )
    return fitted.slope


def _wait(device: torch.device | str) -> None:
    """A CUDA device computes while Python goes on: wait for it before the clock is read."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
