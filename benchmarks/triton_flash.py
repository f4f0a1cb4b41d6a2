"""Triton FlashAttention of the course against PyTorch's flash kernel, on a CUDA GPU.

Run it alone: ``python benchmarks/triton_flash.py``. It prints a table and writes its result to
``benchmarks/results/triton_flash.json``. Without a CUDA GPU nothing is measured: a result that was
recorded on one is left alone, and where there is none the page says that it is not measured yet.
"""

import json
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from llm_course.classroom.book.benchmark_result import record_result
from llm_course.model.flash_triton import flash_attention_triton

RESULT = Path(__file__).parent / "results" / "triton_flash.json"
COMMAND = "python benchmarks/triton_flash.py"
LENGTHS, D_HEADS, REPEATS, TOKENS = (1024, 4096, 16384), (64, 128), 15, 16384
WAYS: dict[str, Callable[..., Tensor]] = {
    "ours": partial(flash_attention_triton, causal=True),
    "PyTorch": partial(scaled_dot_product_attention, is_causal=True),
}


def milliseconds(work: Callable[[], object]) -> float:
    """The time of one call on the device, between two events; the caches are emptied first."""
    torch.empty(256 * 2**20, dtype=torch.int8, device="cuda").zero_()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    work()
    end.record()
    end.synchronize()
    return start.elapsed_time(end)


def medians(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median milliseconds, in turn; the first three turns are not counted, they compile."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(REPEATS + 3):
        for name, work in works.items():
            times[name].append(milliseconds(work))
    return {name: statistics.median(taken[3:]) for name, taken in times.items()}


def row(length: int, d_head: int) -> list[str]:
    """One line: both passes at one length, as a share of the speed of PyTorch's flash kernel."""
    shape = TOKENS // length, 2048 // d_head, length, d_head
    generator = torch.Generator("cuda").manual_seed(0)
    heads = [
        torch.randn(shape, generator=generator, dtype=torch.bfloat16, device="cuda")
        .requires_grad_()
        for _ in range(3)
    ]  # fmt: skip
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        outputs = {name: attend(*heads) for name, attend in WAYS.items()}
        worst = (outputs["ours"] - outputs["PyTorch"]).abs().max().item()
        if worst > 0.05:
            raise SystemExit(f"expected equal outputs, got a difference of {worst:.3f}")
        with torch.no_grad():
            forward = medians({n: partial(attend, *heads) for n, attend in WAYS.items()})
        slope = torch.randn_like(heads[0])
        backward = medians({
            name: partial(torch.autograd.grad, output, heads, slope, retain_graph=True)
            for name, output in outputs.items()
        })  # fmt: skip
    found = [str(length), str(d_head)]
    for time_of in (forward, backward):
        found += [f"{time_of[name]:.2f}" for name in WAYS]
        found.append(f"{time_of['PyTorch'] / time_of['ours']:.2f}")
    return found


def record(device: str, rows: list[list[str]]) -> None:
    """Print the table and write it for the book's page."""
    not_measured = "" if rows else (
        f" **Not measured yet**: the machine that recorded this page has no CUDA GPU. `{COMMAND}` "
        "on one fills the table. On Linux the kernels' results are tested without a GPU, in fp32 "
        "and fp16, by Triton's interpreter, and they are compiled for GPUs of two generations."
    )  # fmt: skip
    record_result(
        RESULT,
        title="FlashAttention in Triton",
        what=f"Causal attention in bf16, {TOKENS:,} tokens, 2,048 features in heads of 64 or "
        "128, against PyTorch's flash kernel. Speed: PyTorch's time divided by ours, 1 is as fast. "
        f"Median of {REPEATS}, in turn, by CUDA events, the cache emptied before each."
        f"{not_measured}",
        command=COMMAND,
        columns=["length", "d_head", *(
            f"{one}{name}" for one in ("forward: ", "backward: ")
            for name in ("ours, ms", "PyTorch, ms", "speed")
        )],
        rows=rows,
        packages=["torch", "triton"] if rows else ["torch"],
        device=device,
    )  # fmt: skip


def main() -> None:
    """Measure, print and record; or say that it was not measured."""
    if torch.cuda.is_available():
        rows = [row(length, d_head) for d_head in D_HEADS for length in LENGTHS]
        record(torch.cuda.get_device_name(), rows)
        return
    recorded = RESULT.exists() and json.loads(RESULT.read_text(encoding="utf-8"))["rows"]
    kept = "; the recorded result stays as it is" if recorded else ""
    print(f"triton_flash: not measured here, because there is no CUDA GPU{kept}.")
    if not recorded:
        record("no GPU", [])


if __name__ == "__main__":
    main()
