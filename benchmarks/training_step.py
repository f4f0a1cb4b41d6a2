"""One step of training: the course's decoder against Transformers' Llama of equal size.

Run it alone: ``python benchmarks/training_step.py``. It prints a table and writes its result to
``benchmarks/results/training_step.json``, from which the book's page of benchmarks is made. Both
have the same weights, the same batch, the same fused AdamW and PyTorch's fused attention; their
losses are compared before anything is timed. Memory is measured in a process for each.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

from llm_course.classroom.book.benchmark_result import Goal, record_result
from llm_course.model.attention import fused_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.training.loss import IGNORE, next_token_loss
from llm_course.training.optimizer import make_optimizer

RESULT = Path(__file__).parent / "results" / "training_step.json"
VOCAB, LENGTH, BATCH, LAYERS, D_MODEL, HEADS, D_FF = 8192, 256, 8, 4, 256, 4, 688
PRECISIONS = {"fp32": torch.float32, "bf16 autocast": torch.bfloat16}
REPEATS = 9


def our_model() -> Decoder:
    """The course's decoder."""
    config = DecoderConfig(
        vocab_size=VOCAB, context_length=LENGTH, d_model=D_MODEL, n_layers=LAYERS, n_heads=HEADS,
        d_ff=D_FF,
    )  # fmt: skip
    return Decoder(config, attend=fused_attention)


def their_model() -> LlamaForCausalLM:
    """Transformers' Llama with the weights of the course's decoder."""
    config = LlamaConfig(
        vocab_size=VOCAB, max_position_embeddings=LENGTH, hidden_size=D_MODEL,
        num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=D_FF,
        tie_word_embeddings=True, rms_norm_eps=1e-5, use_cache=False, attn_implementation="sdpa",
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        # Both register their weights in one order but for the norms, which are all ones.
        ours = [weight for weight in our_model().parameters() if weight.dim() > 1]
        theirs = [weight for weight in model.parameters() if weight.dim() > 1]
        for source, target in zip(ours, theirs, strict=True):
            target.copy_(source)
    return model


def our_loss(model: Decoder, tokens: Tensor) -> Tensor:
    """The loss as ``train`` computes it."""
    targets = torch.full_like(tokens, IGNORE)
    targets[:, :-1] = tokens[:, 1:]
    return next_token_loss(model, tokens, targets)


def their_loss(model: LlamaForCausalLM, tokens: Tensor) -> Tensor:
    """The loss as Transformers computes it; it shifts the labels itself."""
    return model(input_ids=tokens, labels=tokens).loss


SIDES: dict[str, tuple[Callable[[], nn.Module], Callable[[nn.Module, Tensor], Tensor]]] = {
    "ours": (our_model, our_loss),
    "Transformers": (their_model, their_loss),
}


def make_step(side: str, precision: str) -> Callable[[], float]:
    """A function that makes one step and returns its loss."""
    build, compute_loss = SIDES[side]
    model, dtype = build().train(), PRECISIONS[precision]
    optimizer = make_optimizer(model, 1e-4)
    tokens = torch.randint(VOCAB, (BATCH, LENGTH), generator=torch.Generator().manual_seed(0))

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            loss = compute_loss(model, tokens)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def median_seconds(precision: str) -> dict[str, float]:
    """Median time of a step, both in turn, once their losses are known to agree."""
    steps = {side: make_step(side, precision) for side in SIDES}
    losses = [step() for step in steps.values()]
    if abs(losses[0] - losses[1]) > 0.01:
        raise SystemExit(f"expected equal losses, got {losses[0]:.4f} and {losses[1]:.4f}")
    times: dict[str, list[float]] = {side: [] for side in SIDES}
    for _ in range(REPEATS + 1):
        for side, step in steps.items():
            start = time.perf_counter()
            step()
            times[side].append(time.perf_counter() - start)
    return {side: statistics.median(taken[1:]) for side, taken in times.items()}


def peak_memory(side: str, precision: str) -> int:
    """Peak resident memory in MiB of a process that imports all of this and makes three steps."""
    command = [sys.executable, __file__, "--memory", side, precision]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_memory(side: str, precision: str) -> None:
    """What ``peak_memory`` starts."""
    step = make_step(side, precision)
    for _ in range(3):
        step()
    status = Path("/proc/self/status").read_text()
    print(int(status.split("VmHWM:")[1].split()[0]) // 1024)


def row(precision: str) -> list[str]:
    """One line of the table."""
    seconds = median_seconds(precision)
    memory = {side: peak_memory(side, precision) for side in SIDES}
    ours, theirs = SIDES
    return [
        precision,
        f"{seconds[ours] * 1e3:.0f}",
        f"{seconds[theirs] * 1e3:.0f}",
        f"{seconds[ours] / seconds[theirs]:.2f}",
        str(memory[ours]),
        str(memory[theirs]),
        f"{memory[ours] / memory[theirs]:.2f}",
    ]


def has_bf16() -> bool:
    """Whether this CPU multiplies bf16; where that is emulated a step of either takes a minute."""
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def main() -> None:
    """Measure, print and record."""
    rows = [row(precision) for precision in PRECISIONS if precision == "fp32" or has_bf16()]
    left_out = "" if has_bf16() else (
        " bf16 is **not measured here**: this CPU has no instructions for it, and emulates them at "
        "a small part of the speed of fp32, for both."
    )  # fmt: skip
    threads = torch.get_num_threads()
    record_result(
        RESULT,
        title="One training step",
        what=f"{LAYERS} layers, d_model {D_MODEL}, {BATCH} sequences of {LENGTH} tokens, "
        f"vocabulary {VOCAB:,}, tied embeddings: the course's decoder with its chunked loss "
        "against Transformers' Llama with the same weights; forward, backward and the same fused "
        f"AdamW. Both in turn, median of {REPEATS} after two that are not counted. Memory is the "
        "peak resident set of a process for each, the imports included, which are the same."
        f"{left_out}",
        command=f"OMP_NUM_THREADS={threads} python benchmarks/training_step.py",
        columns=[
            "precision",
            "ours, ms",
            "Transformers, ms",
            "time, ratio",
            "ours, MiB",
            "Transformers, MiB",
            "memory, ratio",
        ],
        rows=rows,
        packages=["torch", "transformers"],
        goals=[
            Goal(column="time, ratio", most=0.92, rows=("fp32",)),
            Goal(column="time, ratio", most=0.85, rows=("bf16 autocast",)),
            Goal(column="memory, ratio", most=0.85),
        ],
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        print_memory(*sys.argv[2:])
    else:
        main()
