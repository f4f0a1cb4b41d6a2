"""The recorded tables of the lesson on long context.

``python -m llm_course.recipes.long_context_tables TABLE`` makes one of them again, in a few minutes
on one core: ``tuning`` and ``stream`` with the course checkpoint, ``passkey``,
``passkey_long``, ``middle`` and ``windows`` with SmolLM2.
"""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Any

import torch
from tqdm import tqdm

from llm_course.long_context.passkey import multi_key_task, passkey_task
from llm_course.long_context.retrieval import retrieval_grid
from llm_course.long_context.rope_scaling import ScalingKind
from llm_course.long_context.streaming import stream_losses
from llm_course.model.attention import fused_attention
from llm_course.pretrained.course_checkpoint import load_course_checkpoint
from llm_course.pretrained.pretrained_model import PretrainedModel
from llm_course.pretrained.smollm2 import load_smollm2
from llm_course.recipes.long_context_study import (
    batches_from,
    count_tokens,
    end_loss,
    greedy_answer,
    owners_task,
    tune,
    windowed_answer,
    world_stream,
    world_tokens,
)
from llm_course.resources.recorded import record

Rows = list[dict[str, float | str]]

METHODS: dict[str, tuple[ScalingKind | None, int]] = {
    "direct": (None, 4),
    "direct, staged": (None, 2),
    "linear": ("linear", 4),
    "linear, staged": ("linear", 2),
    "yarn": ("yarn", 4),
}
"""How positions are stretched, and how many times longer each stage is than the one before."""


def tuning_rows(
    pretrained: PretrainedModel, *, target: int, n_steps: int, every: int, seeds: Sequence[int]
) -> Rows:
    """The loss at the end of long texts while each method is tuned.

    Args:
        pretrained: what is tuned, each time a copy.
        target: tokens of the longest text.
        n_steps: of all stages together.
        every: steps between two measurements.
        seeds: of the texts that are learnt from.
    """
    held_out = torch.tensor(world_tokens(pretrained, 16 * target)).reshape(16, target)
    rows: Rows = []
    for seed in tqdm(seeds, desc="tuning", disable=None):
        batches = batches_from(world_tokens(pretrained, 100_000, "train", seed + 1), seed)
        for name, (scaling, growth) in METHODS.items():
            _, found = tune(
                pretrained.model,
                batches,
                target=target,
                n_steps=n_steps,
                scaling=scaling,
                growth=growth,
                evaluate=lambda model: end_loss(model, held_out, target).mean().item(),
                evaluate_every=every,
            )
            rows += [{"method": name, "seed": seed, "step": s, "loss": x} for s, x in found.items()]
    return rows


def stream_rows(
    pretrained: PretrainedModel, *, n_tokens: int, every: int, n_sinks: int, window: int, chunk: int
) -> Rows:
    """A text without end is read: loss and time of each part, and the most memory so far."""
    losses = stream_losses(
        pretrained.model,
        world_stream(pretrained, seed=1),
        n_sinks=n_sinks,
        window=window,
        chunk=chunk,
    )
    rows: Rows = []
    for n in tqdm(range(every, n_tokens + 1, every), desc="stream", disable=None):
        begin = time.process_time()
        loss = sum(islice(losses, every)) / every
        seconds = time.process_time() - begin
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB
        rows.append({"n_tokens": n, "loss": loss, "seconds": seconds, "most_mib": most})
    return rows


def passkey_rows(
    pretrained: PretrainedModel, *, plan: Sequence[tuple[int, int, Sequence[float]]]
) -> Rows:
    """The passkey at some depths, for lengths in tokens with the number of tasks of a cell."""
    count = partial(count_tokens, pretrained)
    rows: Rows = []
    for length, n, depths in tqdm(plan, desc="passkey", disable=None):
        cells = retrieval_grid(greedy_answer(pretrained), passkey_task, count, [length], depths, n)
        rows += [dict(vars(cell)) for cell in cells]
    return rows


def middle_rows(
    pretrained: PretrainedModel,
    *,
    n_sentences: int,
    n_keys: int,
    depths: Sequence[float],
    seeds: Sequence[int],
) -> Rows:
    """Whether one of several numbers is found, by its depth; the texts differ in nothing else."""
    rows: Rows = []
    for seed in tqdm(seeds, desc="middle", disable=None):
        for depth in depths:
            task = multi_key_task(n_sentences, depth, seed, n_keys)
            hit, loss = windowed_answer(pretrained, task, 1)
            rows.append({"depth": depth, "seed": seed, "hit": int(hit), "loss": loss})
    return rows


def window_rows(
    pretrained: PretrainedModel, *, n_facts: int, n_windows: Sequence[int], seeds: Sequence[int]
) -> Rows:
    """The same questions with the facts in one window and in several; the place goes round."""
    rows: Rows = []
    for seed in tqdm(seeds, desc="windows", disable=None):
        task = owners_task(n_facts, position=(5 * seed) % n_facts, seed=seed)
        for n in n_windows:
            hit, loss = windowed_answer(pretrained, task, n)
            rows.append({"n_windows": n, "seed": seed, "hit": int(hit), "loss": loss})
    return rows


DEPTHS = [0.0, 0.25, 0.5, 0.75, 1.0]

TABLES: dict[str, tuple[Callable[..., PretrainedModel], Callable[..., Rows], dict[str, Any]]] = {
    "tuning": (
        load_course_checkpoint,
        tuning_rows,
        {"target": 512, "n_steps": 48, "every": 12, "seeds": [0, 1, 2]},
    ),
    "stream": (
        load_course_checkpoint,
        stream_rows,
        {"n_tokens": 100_000, "every": 5000, "n_sinks": 4, "window": 60, "chunk": 128},
    ),
    "passkey": (
        load_smollm2,
        passkey_rows,
        {"plan": [(256, 1, DEPTHS), (1024, 1, DEPTHS)]},
    ),
    "passkey_long": (load_smollm2, passkey_rows, {"plan": [(4096, 1, [0.0, 0.5, 1.0])]}),
    "middle": (
        load_smollm2,
        middle_rows,
        {"n_sentences": 8, "n_keys": 16, "depths": [0.0, 0.5, 1.0], "seeds": list(range(20))},
    ),
    "windows": (
        load_smollm2,
        window_rows,
        {"n_facts": 8, "n_windows": [1, 2, 4], "seeds": list(range(12))},
    ),
}
"""For each table the model, what makes its rows, and the numbers of the recorded run."""


def main(table: str) -> None:
    """Record one of the tables."""
    loaded, make, config = TABLES[table]
    pretrained = loaded(attend=fused_attention)
    record(
        f"long_context_{table}",
        make(pretrained, **config),
        command=f"python -m llm_course.recipes.long_context_tables {table}",
        config={"model": pretrained.name, **config},
        seeds=config.get("seeds", [0]),
    )


if __name__ == "__main__":
    main(sys.argv[1])
