"""Where the norm stands, as an experiment: four placements learn the bytes of an encyclopedia.

All of them start from Xavier's weights, so that the placement alone differs; DeepNorm shrinks
some, as it must. ``python -m llm_course.recipes.placement_study TABLE`` records the longer runs
that the lesson on norms shows: ``placement_stability`` and ``placement_small_rate``,
``placement_quality`` and ``placement_without_warmup``.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean
from typing import Literal

import torch
from torch import Tensor
from tqdm import tqdm

from llm_course.data.corpora import load
from llm_course.model.attention import fused_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.decoder import Decoder
from llm_course.resources.recorded import record
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import NonFiniteLoss, train
from llm_course.training.loss import shift

Placement = Literal["post", "pre", "sandwich", "deep_norm"]
PLACEMENTS: tuple[Placement, ...] = ("post", "pre", "sandwich", "deep_norm")

Rows = list[dict[str, float | str]]

CHOOSING_SEED = 1000
"""Chooses the rate; the runs that are compared have other seeds."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """The numbers that all runs of a study share.

    Args:
        depth: layers of the models.
        width: their features.
        n_steps: training steps of a run.
        warmup_steps: steps in which the rate rises.
        batch_size: texts in a batch.
        length: bytes a text.
    """

    depth: int = 6
    width: int = 32
    n_steps: int = 120
    warmup_steps: int = 0
    batch_size: int = 16
    length: int = 32


def encyclopedia_bytes(n_documents: int = 1500) -> Tensor:
    """The UTF-8 bytes of English articles, one after the other.

    Shapes:
        returns ``t``, from 0 to 255.
    """
    text = "\n".join(document.text for document in load("wiki_en", limit=n_documents))
    return torch.tensor(list(text.encode()))


def draw_batches(
    data: Tensor, generator: torch.Generator, n: int, batch_size: int = 16, length: int = 32
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of windows at random places, with the next byte of each as its target.

    Shapes:
        data ``t``; each batch two of ``b t``.
    """
    for _ in range(n):
        starts = torch.randint(len(data) - length - 1, (batch_size,), generator=generator)
        yield shift(torch.stack([data[i : i + length + 1] for i in starts.tolist()]))


def xavier_(model: Decoder, seed: int) -> None:
    """Draw the matrices of all blocks anew: normal, deviation ``sqrt(2 / (fan_in + fan_out))``.

    Source:
        Glorot and Bengio 2010, eq. 16.
    """
    generator = torch.Generator().manual_seed(seed)
    for weight in model.blocks.parameters():
        if weight.dim() == 2:
            torch.nn.init.xavier_normal_(weight, generator=generator)


def placed_decoder(placement: Placement, depth: int, width: int, seed: int) -> Decoder:
    """A byte model whose norms stand where ``placement`` says.

    The embeddings are scaled up to the size of the sinusoids that are added to them.
    """
    config = DecoderConfig(
        vocab_size=256,
        context_length=64,
        d_model=width,
        n_layers=depth,
        n_heads=4,
        d_ff=4 * width,
        norm="layer_norm",
        feed_forward="relu",
        position="sinusoidal",
        bias=True,
        wiring=Wiring(placement=placement, embedding_scale=50),
    )
    model = Decoder(config, fused_attention, torch.Generator().manual_seed(seed))
    if placement != "deep_norm":
        xavier_(model, seed)
    return model


def final_loss(
    placement: Placement, rate: float, seed: int, data: Tensor, study: Study, device: str = "cpu"
) -> float:
    """Train one model; the mean training loss of the last tenth of its steps, in nats a byte.

    Infinite if the loss stopped being a number.
    """
    model = placed_decoder(placement, study.depth, study.width, seed).to(device)
    generator = torch.Generator().manual_seed(seed)
    batches = draw_batches(data, generator, study.n_steps, study.batch_size, study.length)
    settings = TrainingConfig(
        n_steps=study.n_steps, learning_rate=rate, warmup_steps=study.warmup_steps
    )
    try:
        history = train(model, batches, settings)
    except NonFiniteLoss:
        return math.inf
    return fmean(step.loss for step in history[-(study.n_steps // 10) :])


def stability_rows(study: Study, rates: list[float], seeds: list[int]) -> Rows:
    """Every placement at every rate with every seed."""
    data = encyclopedia_bytes()
    grid = list(product(PLACEMENTS, rates, seeds))
    return [
        {"placement": p, "rate": r, "seed": s, "loss": final_loss(p, r, s, data, study)}
        for p, r, s in tqdm(grid, desc="stability", disable=None)
    ]


def best_rate_rows(
    placements: Sequence[Placement], study: Study, rates: list[float], seeds: list[int]
) -> Rows:
    """Each placement at its best rate, which is chosen with a seed of its own."""
    data = encyclopedia_bytes()
    rows: Rows = []
    for placement in placements:
        tried = {r: final_loss(placement, r, CHOOSING_SEED, data, study) for r in rates}
        best = min(tried, key=tried.__getitem__)
        for seed in tqdm(seeds, desc=f"{placement} at {best:g}", disable=None):
            loss = final_loss(placement, best, seed, data, study)
            rows.append({"placement": placement, "rate": best, "seed": seed, "loss": loss})
    return rows


def main(table: str) -> None:
    """Record one of the tables, a few minutes on one core."""
    chosen: dict[str, object] = {}
    if table in _STABILITY:
        study, rates, seeds = Study(depth=8, n_steps=200), _STABILITY[table], [0, 1, 2, 3]
        rows = stability_rows(study, rates, seeds)
    else:
        warmup, placements = _LONGER[table]
        study, rates = Study(n_steps=1000, warmup_steps=warmup), [1e-3, 4e-3, 1.6e-2]
        seeds, chosen = [0, 1, 2, 3, 4], {"seed of the choice of rate": CHOOSING_SEED}
        rows = best_rate_rows(placements, study, rates, seeds)
    command = f"python -m llm_course.recipes.placement_study {table}"
    record(
        table, rows, command=command, config={**vars(study), "rates": rates, **chosen}, seeds=seeds
    )


_STABILITY: dict[str, list[float]] = {
    "placement_stability": [4e-3, 1.6e-2, 6.4e-2],
    "placement_small_rate": [1e-3],
}
"""Rates of the tables of short runs without a warm-up."""

_LONGER: dict[str, tuple[int, tuple[Placement, ...]]] = {
    "placement_quality": (500, ("post", "pre")),
    "placement_without_warmup": (0, ("post",)),
}
"""Warm-up steps and placements of the tables of longer runs."""

if __name__ == "__main__":
    main(sys.argv[1])
