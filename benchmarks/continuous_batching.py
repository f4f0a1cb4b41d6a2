"""Continuous batching of SmolLM2: the course's engine against batches that Transformers pads.

Run it alone: ``python benchmarks/continuous_batching.py``. It prints a table and writes its result
to ``benchmarks/results/continuous_batching.json``. The same requests, each with its own number of
tokens to write, go to the engine all at once, and to Transformers' generate in batches in the order
of their arrival, padded on the left, each batch until its longest text is written. Both hold as
many texts at a time, and write the same tokens, which is checked before anything is timed.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from llm_course.classroom.book.benchmark_result import Goal, record_result
from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.engine import Engine
from llm_course.decoding.engine_parts import EngineConfig
from llm_course.model.decoder import Decoder
from llm_course.model.grouped_query import grouped_query_attention
from llm_course.pretrained.huggingface import save_huggingface
from llm_course.pretrained.pretrained_model import PretrainedModel
from llm_course.pretrained.smollm2 import load_smollm2

RESULT = Path(__file__).parent / "results" / "continuous_batching.json"
REQUESTS, RUNNING, REPEATS = 24, 8, 5
REASON = (
    "The engine saves steps, and on this processor the matrix products of a step take most of its "
    "time, the same in both; reading keys through the block table costs some of what is saved."
)
TEXT = (
    "In the old harbour the boats lie still until the tide comes in, and the people who mend the "
    "nets sit by the wall and talk about the weather, the price of fish, and the years when the "
    "whole bay froze and one could walk across it to the island and be back before the evening. "
)
Request = tuple[list[int], int]
"""A prompt, and how many tokens are to be written."""
Serve = Callable[[list[Request]], list[list[int]]]


def transformers_twin(model: Decoder) -> PreTrainedModel:
    """Transformers' model with the same weights."""
    with tempfile.TemporaryDirectory() as folder:
        save_huggingface(model, folder)
        return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="sdpa").eval()


def workload(pretrained: PretrainedModel, ragged: bool) -> list[Request]:
    """Requests of 4 to 48 prompt tokens with 4 to 40 to write, or of 24 with 16."""
    text = pretrained.tokenizer.encode(TEXT)
    generator = torch.Generator().manual_seed(0)
    requests = []
    for _ in range(REQUESTS):
        start, n_prompt, n_new = (
            int(torch.randint(low, high, (), generator=generator))
            for low, high in ((0, 12), (4, 49), (4, 41))
        )
        n_prompt, n_new = (n_prompt, n_new) if ragged else (24, 16)
        requests.append((text[start : start + n_prompt], n_new))
    return requests


def engine_of(pretrained: PretrainedModel) -> Serve:
    """Ours: everything at once to an engine, which no text of another run has warmed."""

    def serve(requests: list[Request]) -> list[list[int]]:
        config = EngineConfig(n_blocks=96, block_size=16, max_running=RUNNING)
        engine = Engine(pretrained.model, config)
        numbers = [engine.submit(p, GenerationConfig(max_new_tokens=n)) for p, n in requests]
        written = engine.run()
        return [written[number].tokens for number in numbers]

    return serve


def padded_batches(twin: PreTrainedModel) -> Serve:
    """Theirs: batch after batch, each as long as its longest text."""

    def serve(requests: list[Request]) -> list[list[int]]:
        written = []
        for start in range(0, len(requests), RUNNING):
            batch = requests[start : start + RUNNING]
            longest = max(len(prompt) for prompt, _ in batch)
            padding = [longest - len(prompt) for prompt, _ in batch]
            tokens = torch.tensor(
                [[0] * n + prompt for n, (prompt, _) in zip(padding, batch, strict=True)]
            )
            real = torch.tensor([[0] * n + [1] * (longest - n) for n in padding])
            found = twin.generate(
                tokens, attention_mask=real, do_sample=False, eos_token_id=None, pad_token_id=0,
                max_new_tokens=max(n for _, n in batch),
            )[:, longest:].tolist()  # fmt: skip
            written += [row[:n] for row, (_, n) in zip(found, batch, strict=True)]
        return written

    return serve


def row(name: str, sides: list[Serve], requests: list[Request]) -> list[str]:
    """One line of the table, both sides in turn."""
    if sides[0](requests) != sides[1](requests):
        raise SystemExit(f"{name}: expected equal tokens, got others")
    times: list[list[float]] = [[], []]
    for _ in range(REPEATS):
        for serve, taken in zip(sides, times, strict=True):
            start = time.perf_counter()
            serve(requests)
            taken.append(time.perf_counter() - start)
            print(f"{name}: {taken[-1]:.1f} s", file=sys.stderr, flush=True)
    ours, theirs = (statistics.median(taken) for taken in times)
    n_new = sum(n for _, n in requests)
    return [name, f"{n_new / ours:.1f}", f"{n_new / theirs:.1f}", f"{theirs / ours:.2f}"]


def main() -> None:
    """Measure, print and record."""
    pretrained = load_smollm2(attend=grouped_query_attention)
    sides = [engine_of(pretrained), padded_batches(transformers_twin(pretrained.model))]
    rows = [
        row(name, sides, workload(pretrained, ragged=name == "ragged"))
        for name in ("ragged", "equal")
    ]
    threads = torch.get_num_threads()
    record_result(
        RESULT,
        title="Continuous batching",
        what=f"SmolLM2-135M, fp32, {REQUESTS} requests, {RUNNING} texts at a time: the course's "
        "engine over its paged cache against Transformers' generate on padded batches, the same "
        "weights and the same tokens. Ragged: prompts of 4 to 48 tokens, 4 to 40 new ones; equal: "
        f"24 and 16. In turn, median of {REPEATS} after one that is not counted; a ratio above 1 "
        "means that ours is faster.",
        command=f"OMP_NUM_THREADS={threads} python benchmarks/continuous_batching.py",
        columns=[
            "lengths",
            "ours, new tokens a second",
            "Transformers, new tokens a second",
            "ratio",
        ],
        rows=rows,
        packages=["torch", "transformers"],
        goals=[
            Goal(column="ratio", least=1.2, rows=("ragged",), reason=REASON),
            Goal(column="ratio", least=1.0, rows=("equal",), reason=REASON),
        ],
    )


if __name__ == "__main__":
    main()
