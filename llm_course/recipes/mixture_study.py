"""What a mixture teaches, as an experiment: byte models read three domains, and each is measured.

The models are so small that dozens of them fit into a minute on one core. Text is cut into windows
of bytes; a mixture decides from which domain the next window comes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from llm_course.data.corpora import load
from llm_course.data.mixture.sampler import MixtureSampler
from llm_course.model.attention import fused_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import train
from llm_course.training.loss import next_token_loss, shift

LENGTH = 32
"""Bytes that a model reads at a time."""

EVERY = 10
"""One document in so many is held out for the test, and another one for monitoring."""


@dataclass(frozen=True, kw_only=True)
class Domain:
    """The windows of one domain, split by document.

    Args:
        train: what models learn from.
        monitor: what may be looked at while they learn.
        test: what is looked at when they have.
        n_bytes: how much text the domain has.

    Shapes:
        train, monitor, test ``n t+1``, bytes as int64.
    """

    train: Tensor
    monitor: Tensor
    test: Tensor
    n_bytes: int


def cut(text: bytes, length: int = LENGTH) -> Tensor:
    """Text as windows that do not overlap, each with one byte more than is read.

    Shapes:
        returns ``n t+1``; what does not fill a window is left out.

    >>> cut(b"abcdefg", length=2).tolist()
    [[97, 98, 99], [100, 101, 102]]
    """
    data = torch.from_numpy(np.frombuffer(text, np.uint8).astype(np.int64))
    n = len(data) // (length + 1)
    return rearrange(data[: n * (length + 1)], "(n t) -> n t", n=n)


def read_domain(corpus: str, held_out: int = 256) -> Domain:
    """A corpus as a domain; generated text where its package is absent.

    Args:
        corpus: its name in the catalogue.
        held_out: windows for monitoring and for the test, evenly spread over their documents.
    """
    texts = [document.text.encode("utf-8", "replace") for document in load(corpus, fallback=True)]
    parts = {
        "train": [text for i, text in enumerate(texts) if i % EVERY > 1],
        "monitor": texts[1::EVERY],
        "test": texts[::EVERY],
    }
    windows = {name: cut(b"\n".join(part)) for name, part in parts.items()}
    for name in ("monitor", "test"):
        windows[name] = windows[name][:: max(1, len(windows[name]) // held_out)][:held_out]
    return Domain(**windows, n_bytes=sum(map(len, texts)))


def byte_model(seed: int, device: str = "cpu") -> Decoder:
    """A decoder of bytes with one layer, as its seed draws it."""
    config = DecoderConfig(
        vocab_size=256,
        context_length=64,
        d_model=32,
        n_layers=1,
        n_heads=2,
        d_ff=64,
        feed_forward="relu",
        tie_embeddings=False,
    )
    return Decoder(config, fused_attention, torch.Generator().manual_seed(seed)).to(device)


def mixed_batches(
    sampler: MixtureSampler[Tensor],
    n: int,
    batch_size: int = 8,
    before: Callable[[int], None] | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of windows as a sampler draws them.

    Args:
        sampler: over windows ``t+1``.
        n: how many batches.
        batch_size: windows a batch.
        before: called with the number of each batch before it is drawn; it may change the
            sampler's weights.

    Shapes:
        each batch two of ``b t``.
    """
    for step in range(n):
        if before is not None:
            before(step)
        yield shift(torch.stack([next(sampler).item for _ in range(batch_size)]))


def learn(model: Decoder, batches: Iterator[tuple[Tensor, Tensor]], n_steps: int) -> Decoder:
    """Train a byte model in place on its batches, and return it."""
    settings = TrainingConfig(
        n_steps=n_steps, learning_rate=2e-2, warmup_steps=n_steps // 20, weight_decay=0.0
    )
    train(model, batches, settings)
    return model


@torch.no_grad()
def held_out_losses(model: Decoder, windows: Mapping[str, Tensor]) -> dict[str, float]:
    """The loss on each set of windows, in nats a byte.

    Shapes:
        windows ``n t+1`` each.
    """
    device = next(model.parameters()).device
    return {
        name: next_token_loss(model, *(part.to(device) for part in shift(texts))).item()
        for name, texts in windows.items()
    }


def bigram_surprise(windows: Tensor) -> Tensor:
    """How hard each window is for a model that knows which byte follows which: nats a byte.

    The model is counted on the same windows, each pair once more than it occurs:
    ``-mean log (n(ab) + 1) / (n(a) + 256)``.

    Shapes:
        windows ``n t``; returns ``n``.

    >>> texts = cut(b"aaaaaaaaxyz", length=3)  # aaaa, aaaa
    >>> bigram_surprise(texts).exp().tolist()  # 262 / 7 for each pair
    [37.4285..., 37.4285...]
    """
    pairs = windows[:, :-1] * 256 + windows[:, 1:]
    counts = torch.bincount(rearrange(pairs, "n t -> (n t)"), minlength=256**2).double() + 1
    table = rearrange(counts, "(a b) -> a b", a=256)
    surprise = -(table / table.sum(dim=1, keepdim=True)).log()
    return surprise[windows[:, :-1], windows[:, 1:]].mean(dim=1)
