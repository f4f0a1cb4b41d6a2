"""Greedy decoding of SmolLM2: the course's generate against Transformers', with the same weights.

Run it alone: ``python benchmarks/decode.py``. It prints a table and writes its result to
``benchmarks/results/decode.json``. Both write the same tokens, which is checked before anything is
timed. A step is what one more token costs: the time of a call, less that of a call that writes one
token, over the tokens between. The matrix products of a step, which are the same for both, are
timed alone as well: what is left of a step is what the two ways of decoding differ in.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from transformers import AutoModelForCausalLM, PreTrainedModel

from llm_course.classroom.book.benchmark_result import Goal, record_result
from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.generate import generate
from llm_course.model.decoder import Decoder
from llm_course.model.grouped_query import grouped_query_attention
from llm_course.model.weight_layout import lay_out_by_columns
from llm_course.pretrained.huggingface import save_huggingface
from llm_course.pretrained.pretrained_model import PretrainedModel
from llm_course.pretrained.smollm2 import load_smollm2

RESULT = Path(__file__).parent / "results" / "decode.json"
PROMPT, NEW, REPEATS = 32, 33, 9
Write = Callable[[int], list[list[int]]]


def transformers_twin(model: Decoder) -> PreTrainedModel:
    """Transformers' model with the same weights."""
    with tempfile.TemporaryDirectory() as folder:
        save_huggingface(model, folder)
        return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="sdpa").eval()


def prompts_of(pretrained: PretrainedModel, n_prompts: int) -> list[list[int]]:
    """Different English texts of one length."""
    things = "bread rain ships bees chess maps tea snow clocks songs iron moss salt wool ink light"
    text = "A short history of {}, from the earliest times to the present day, for children who "
    text += "like to know how things came to be what they are, and why people care about them."
    begun = [pretrained.tokenizer.encode(text.format(thing)) for thing in things.split()]
    return [prompt[:PROMPT] for prompt in begun[:n_prompts]]


def ways(pretrained: PretrainedModel, twin: PreTrainedModel, prompts: list[list[int]]) -> list:
    """Ours and theirs: functions from a number of tokens to the tokens that were written."""

    def ours(n_new: int) -> list[list[int]]:
        config = GenerationConfig(max_new_tokens=n_new)
        return [text.tokens for text in generate(pretrained.model, prompts, config)]

    def theirs(n_new: int) -> list[list[int]]:
        tokens = torch.tensor(prompts)
        written = twin.generate(
            tokens, attention_mask=torch.ones_like(tokens), do_sample=False,
            max_new_tokens=n_new, eos_token_id=None, pad_token_id=0,
        )  # fmt: skip
        return written[:, PROMPT:].tolist()

    return [ours, theirs]


def seconds(write: Write, n_new: int) -> float:
    """The time of one call."""
    start = time.perf_counter()
    write(n_new)
    return time.perf_counter() - start


def row(pretrained: PretrainedModel, twin: PreTrainedModel, n_prompts: int) -> list[str]:
    """One line of the table, both ways in turn."""
    both = ways(pretrained, twin, prompts_of(pretrained, n_prompts))
    if both[0](NEW) != both[1](NEW):
        raise SystemExit(f"batch {n_prompts}: expected equal tokens, got others")
    times = [[(seconds(way, NEW), seconds(way, 1)) for way in both] for _ in range(REPEATS)]
    whole = [statistics.median(turn[i][0] for turn in times) for i in (0, 1)]
    step = [
        statistics.median((turn[i][0] - turn[i][1]) / (NEW - 1) for turn in times) for i in (0, 1)
    ]
    return [
        str(n_prompts), f"{step[0] * 1e3:.0f}", f"{step[1] * 1e3:.0f}",
        f"{products(pretrained.model, n_prompts) * 1e3:.0f}", f"{step[1] / step[0]:.2f}",
        f"{whole[1] / whole[0]:.2f}",
    ]  # fmt: skip


@torch.inference_mode()
def products(model: Decoder, n_texts: int) -> float:
    """The time that the matrix products of a step take alone, with the weights as they lie now."""
    layers = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
    work = [(w, torch.ones(n_texts, w.shape[1])) for w in (*layers, model.output_weight)]
    taken = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        for weight, x in work:
            F.linear(x, weight)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


def main() -> None:
    """Measure, print and record."""
    pretrained = load_smollm2(attend=grouped_query_attention)
    twin = transformers_twin(pretrained.model)
    many = row(pretrained, twin, 16)
    lay_out_by_columns(pretrained.model)  # what a single text gains by, and many lose by
    rows = [row(pretrained, twin, 1), many]
    threads = torch.get_num_threads()
    record_result(
        RESULT,
        title="Greedy decoding",
        what=f"SmolLM2-135M, fp32, prompts of {PROMPT} tokens, {NEW} new ones: the course's "
        "generate with its preallocated cache and grouped-query attention, for one text with "
        "matrices by columns, against Transformers' generate with sdpa, the same weights and the "
        "same tokens. A step writes one token of every text; its matrix products are timed alone. "
        f"In turn, median of {REPEATS} after one that is not counted; a ratio above 1 means that "
        "ours is faster.",
        command=f"OMP_NUM_THREADS={threads} python benchmarks/decode.py",
        columns=[
            "batch",
            "ours, ms a step",
            "Transformers, ms a step",
            "matrix products, ms a step",
            "a step, ratio",
            "whole call, ratio",
        ],
        rows=rows,
        packages=["torch", "transformers"],
        goals=[
            Goal(
                column="a step, ratio",
                least=1.3,
                reason="The matrix products are most of a step and cost both the same, on one core "
                "of this machine; only the rest can be saved.",
            )
        ],
    )


if __name__ == "__main__":
    main()
