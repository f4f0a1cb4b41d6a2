"""Data parallelism on two processes: the course's buckets against PyTorch's DDP.

Run it alone: ``python benchmarks/data_parallel.py``. It prints a table and writes its result to
``benchmarks/results/data_parallel.json``. Both train the same decoder with the same loss, optimizer
and batches, on two processes that talk through gloo; their gradients are compared before anything
is timed, and their steps are timed in turn.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from llm_course.classroom.book.benchmark_result import Goal, record_result
from llm_course.model.attention import fused_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.parallel.data_parallel import DataParallel
from llm_course.parallel.launcher import run_ranks
from llm_course.parallel.mesh import make_mesh
from llm_course.training.loss import next_token_loss
from llm_course.training.optimizer import make_optimizer

RESULT = Path(__file__).parent / "results" / "data_parallel.json"
VOCAB, LENGTH, BATCH, LAYERS, D_MODEL, HEADS, D_FF = 8192, 128, 4, 4, 256, 4, 688
RANKS, REPEATS = 2, 15
Step = Callable[[], None]


class LossModule(nn.Module):
    """A model with its loss, because DDP must see the forward pass as one call."""

    def __init__(self) -> None:
        super().__init__()
        config = DecoderConfig(
            vocab_size=VOCAB, context_length=LENGTH, d_model=D_MODEL, n_layers=LAYERS,
            n_heads=HEADS, d_ff=D_FF,
        )  # fmt: skip
        self.model = Decoder(config, attend=fused_attention)

    def forward(self, tokens: Tensor) -> Tensor:
        """Shapes: tokens ``b t``; returns a scalar."""
        return next_token_loss(self.model, tokens[:, :-1], tokens[:, 1:].contiguous())


def batch() -> Tensor:
    """This rank's token ids."""
    generator = torch.Generator().manual_seed(dist.get_rank())
    return torch.randint(VOCAB, (BATCH, LENGTH + 1), generator=generator)


def ours(algorithm: str) -> tuple[nn.Module, Step]:
    """The course's data parallelism, over gloo's all-reduce or over its own ring."""
    module, tokens = LossModule(), batch()
    optimizer = make_optimizer(module, 1e-4)
    parallel = DataParallel(module, make_mesh(data=RANKS, algorithm=algorithm).data)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        (module(tokens) / RANKS).backward()
        parallel.finish()
        optimizer.step()

    return module, step


def theirs(as_views: bool) -> tuple[nn.Module, Step]:
    """DDP, with gradients copied out of the buckets (its default) or left there."""
    module, tokens = LossModule(), batch()
    optimizer = make_optimizer(module, 1e-4)
    parallel = DistributedDataParallel(module, gradient_as_bucket_view=as_views)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        parallel(tokens).backward()
        optimizer.step()

    return module, step


def measure() -> tuple[dict[str, list[float]], float]:
    """Seconds of each step of each side, in turn, and the largest difference of gradients."""
    sides = {
        "ours": ours("backend"),
        "DDP": theirs(as_views=False),
        "DDP, views": theirs(as_views=True),
        "ours, own ring": ours("ring"),
    }
    times: dict[str, list[float]] = {side: [] for side in sides}
    difference = 0.0
    for repeat in range(REPEATS + 2):
        for side, (_, step) in sides.items():
            dist.barrier()
            start = time.perf_counter()
            step()
            dist.barrier()
            times[side].append(time.perf_counter() - start)
        if repeat == 0:
            grads = [[w.grad.clone() for w in module.parameters()] for module, _ in sides.values()]
            pairs = [pair for other in grads for pair in zip(grads[0], other, strict=True)]
            difference = max((a - b).abs().max().item() for a, b in pairs)
    return {side: taken[2:] for side, taken in times.items()}, difference


def main() -> None:
    """Measure, print and record."""
    times, difference = run_ranks(measure, RANKS)[0]
    if difference > 1e-6:
        raise SystemExit(f"expected equal gradients, got a difference of {difference:.1e}")
    rows = []
    for side in ("ours", "ours, own ring"):
        for peer in ("DDP", "DDP, views"):
            ratios = [theirs / ours for ours, theirs in zip(times[side], times[peer], strict=True)]
            rows.append([
                side, peer,
                f"{statistics.median(times[side]) * 1e3:.0f}",
                f"{statistics.median(times[peer]) * 1e3:.0f}",
                f"{statistics.median(ratios):.2f}",
                f"{min(ratios):.2f}-{max(ratios):.2f}",
            ])  # fmt: skip
    record_result(
        RESULT,
        title="Data parallelism",
        what=f"{RANKS} processes with one thread each over gloo: {LAYERS} layers, d_model "
        f"{D_MODEL}, vocabulary {VOCAB:,}, {BATCH} sequences of {LENGTH} tokens a process, fp32, "
        "the same loss and fused AdamW. *Ours* is the course's buckets with gloo's all-reduce, "
        "*own ring* the same with the course's all-reduce over send and receive; DDP with its "
        "defaults and with gradients left in the buckets. Gradients are compared first. All in "
        f"turn, median of {REPEATS} steps after two that are not counted; speed is DDP's time "
        "over ours, step by step, so more than 1 is faster than DDP.",
        command="python benchmarks/data_parallel.py",
        columns=["ours", "peer", "ours, ms", "peer, ms", "speed, ratio", "from - to"],
        rows=rows,
        packages=["torch"],
        goals=[Goal(column="speed, ratio", least=0.97)],
    )


if __name__ == "__main__":
    main()
