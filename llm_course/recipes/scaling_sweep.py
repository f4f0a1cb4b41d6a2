"""The sweep behind the lesson on scaling laws: one decoder, many sizes, many amounts of text.

Each run reads the bytes of the English encyclopedia once, with a schedule that ends where its text
ends, as a law that compares final losses demands. ``python -m llm_course.recipes.scaling_sweep``
records all of them, and with ``scaling_isoflop`` behind it the runs of equal work; started again,
it goes on after the last run that was finished.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from llm_course.data.corpora import load
from llm_course.files import atomic_write
from llm_course.model.attention import fused_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.resources.recorded import record
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import train
from llm_course.training.loss import next_token_loss, shift

SHAPES = ((2, 16), (2, 32), (3, 48), (4, 64), (4, 80), (4, 96), (5, 128))
"""Layers and width of every size."""

TOKENS = (262_144, 524_288, 1_048_576, 2_097_152, 4_194_304)
"""Bytes of text that a run reads, once."""

MOST_WORK = 1.3e13
"""Runs above this many FLOP (6 N D) are left out: they would take most of the time."""


ISOFLOP_SHAPES = ((1, 8), (1, 16), (2, 16), (1, 32), (2, 32), (3, 48))
ISOFLOP_BUDGETS = (2e10, 4e10, 8e10, 1.6e11)
"""Sizes, and the work (6 N D) that each of them is given, if the corpus has so much text."""

CORPUS_BYTES = 4_800_000
"""What a run may read at most."""

FEWEST_STEPS = 150
"""Runs of equal work that would be shorter are left out."""


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """The numbers that all runs share.

    Args:
        batch_size: texts of a step.
        length: bytes of a text.
        held_out_bytes: at the end of the corpus, for the loss.
        rate: the learning rate at a width of 64; it falls as the width grows, ``64 / d_model``.
        warmup_share: of the steps, in which the rate rises.
        seed: of the weights and of the order of the text.
    """

    batch_size: int = 8
    length: int = 128
    held_out_bytes: int = 65_536
    rate: float = 1e-2
    warmup_share: float = 0.2
    seed: int = 0


def sweep_decoder(n_layers: int, d_model: int, length: int, seed: int) -> Decoder:
    """A byte model of one size; its feed-forward layers are 8/3 as wide, and gated.

    ``12 n_layers d_model ** 2`` weights outside the embedding, as in a Transformer of four times
    the width without a gate.
    """
    config = DecoderConfig(
        vocab_size=256,
        context_length=length,
        d_model=d_model,
        n_layers=n_layers,
        n_heads=max(1, d_model // 16),
        d_ff=8 * d_model // 3,
    )
    return Decoder(config, fused_attention, torch.Generator().manual_seed(seed))


def corpus_bytes(held_out_bytes: int) -> tuple[Tensor, Tensor]:
    """The encyclopedia's bytes: to learn from, and held out at the end.

    Shapes:
        returns two of ``t``, from 0 to 255.
    """
    text = "\n".join(document.text for document in load("wiki_en"))
    data = torch.tensor(list(text.encode()))
    return data[:-held_out_bytes], data[-held_out_bytes:]


def batches_once(
    data: Tensor, n_tokens: int, config: SweepConfig
) -> Iterator[tuple[Tensor, Tensor]]:
    """The first ``n_tokens`` of a corpus in rows, in random order, each once.

    Shapes:
        data ``t``; each batch two of ``b t``.
    """
    length = config.length
    n_rows = n_tokens // length
    if n_rows * length + 1 > len(data):
        raise ValueError(
            f"n_tokens: expected fewer than the corpus has, {len(data)}, got {n_tokens}."
        )
    order = torch.randperm(n_rows, generator=torch.Generator().manual_seed(config.seed))
    for rows in order.split(config.batch_size):
        yield shift(torch.stack([data[i * length : (i + 1) * length + 1] for i in rows.tolist()]))


@torch.no_grad()
def held_out_loss(model: Decoder, held_out: Tensor, length: int, device: str = "cpu") -> float:
    """Mean loss of a text cut into rows, in nats a byte."""
    n_rows = (len(held_out) - 1) // length
    rows = torch.stack([held_out[i * length : (i + 1) * length + 1] for i in range(n_rows)])
    losses = []
    for part in rows.split(64):
        tokens, targets = shift(part.to(device))
        losses += [next_token_loss(model, tokens, targets).item()] * len(part)
    return fmean(losses)


def run(
    n_layers: int,
    d_model: int,
    n_tokens: int,
    config: SweepConfig,
    data: tuple[Tensor, Tensor],
    device: str = "cpu",
) -> dict[str, Any]:
    """Train one model on one amount of text; one row of the table."""
    model = sweep_decoder(n_layers, d_model, config.length, config.seed).to(device)
    n_steps = n_tokens // (config.batch_size * config.length)
    rate = config.rate * 64 / d_model
    settings = TrainingConfig(
        n_steps=n_steps,
        learning_rate=rate,
        minimum_learning_rate=rate / 10,
        warmup_steps=max(1, round(config.warmup_share * n_steps)),
    )
    train(model, batches_once(data[0], n_tokens, config), settings)
    return {
        "n_layers": n_layers,
        "d_model": d_model,
        "n_non_embedding": model.n_parameters - 256 * d_model,
        "n_parameters": model.n_parameters,
        "n_tokens": n_tokens,
        "rate": rate,
        "seed": config.seed,
        "loss": held_out_loss(model, data[1], config.length, device),
    }


def plan() -> list[tuple[int, int, int]]:
    """Layers, width and tokens of every run, the cheap ones first."""
    work = {
        (layers, width, tokens): 6 * 12 * layers * width**2 * tokens
        for (layers, width), tokens in product(SHAPES, TOKENS)
    }
    return sorted((key for key, flops in work.items() if flops <= MOST_WORK), key=work.__getitem__)


def isoflop_plan(config: SweepConfig) -> list[tuple[int, int, int]]:
    """Layers, width and tokens of the runs of equal work, budget by budget."""
    step = config.batch_size * config.length
    keys = []
    for budget, (layers, width) in product(ISOFLOP_BUDGETS, ISOFLOP_SHAPES):
        n_parameters = sweep_decoder(layers, width, config.length, config.seed).n_parameters
        n_steps = round(budget / 6 / n_parameters / step)
        if n_steps >= FEWEST_STEPS and n_steps * step <= CORPUS_BYTES:
            keys.append((layers, width, n_steps * step))
    return keys


def sweep(
    partial: Path, config: SweepConfig, keys: Sequence[tuple[int, int, int]]
) -> list[dict[str, Any]]:
    """All runs; those that ``partial`` holds are not run again.

    Args:
        partial: a JSON file, rewritten whole after every run.
        config: of all runs.
        keys: layers, width and tokens of each.
    """
    known: Mapping[str, dict[str, Any]] = (
        json.loads(partial.read_text()) if partial.exists() else {}
    )
    rows, data = dict(known), corpus_bytes(config.held_out_bytes)
    for layers, width, tokens in tqdm(keys, desc="sweep", disable=None):
        name = json.dumps([layers, width, tokens, asdict(config)])
        if name not in rows:
            rows[name] = run(layers, width, tokens, config, data)
            partial.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(partial, json.dumps(rows, indent=1))
    return [rows[json.dumps([*key, asdict(config)])] for key in keys]


def main(table: str = "scaling_sweep") -> None:
    """Record one of the two tables."""
    config = SweepConfig()
    keys = {"scaling_sweep": plan, "scaling_isoflop": lambda: isoflop_plan(config)}[table]()
    record(
        table,
        sweep(Path(f"build/{table}.json"), config, keys),
        command=f"OMP_NUM_THREADS=1 python -m llm_course.recipes.scaling_sweep {table}",
        config={"corpus": "wiki_en, bytes", **asdict(config)},
        seeds=[config.seed],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
