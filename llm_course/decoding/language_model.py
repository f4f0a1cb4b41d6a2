"""What decoding knows of a model: a few sizes, features of tokens, and the output matrix.

``Decoder`` is such a model. Nothing else of it is used, so anything that has these three can be
decoded, such as a table of probabilities in a test.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_course.decoding.kv_cache import KVCache
from llm_course.model.cache import CacheStep
from llm_course.model.config import DecoderConfig


class LanguageModel(Protocol):
    """A causal model that can go on from a cache."""

    @property
    def config(self) -> DecoderConfig:
        """Its sizes: those of the vocabulary, of the context, and of a cache."""

    @property
    def output_weight(self) -> Tensor:
        """The output matrix ``v d_model``, which makes logits of features."""

    def features(self, tokens: Tensor, *, cache: CacheStep) -> Tensor:
        """What the output matrix reads at each new token: ``b t`` to ``b t d_model``."""


def new_cache(model: LanguageModel, n_rows: int, n_places: int) -> KVCache:
    """A cache that fits the model.

    Args:
        model: whose keys and values are kept.
        n_rows: texts of the batch.
        n_places: tokens of the longest text.
    """
    config, weight = model.config, model.output_weight
    return KVCache(
        config.n_layers, config.n_kv_heads, config.d_head, n_rows=n_rows, n_places=n_places,
        dtype=weight.dtype, device=weight.device,
    )  # fmt: skip


def last_logits(
    model: LanguageModel, tokens: Tensor, step: CacheStep, last: Sequence[int] | None = None
) -> Tensor:
    """Read new tokens, and return the logits after the last one of each row.

    The output matrix is the largest of a small model; it is applied to one position a row only.

    Args:
        model: what reads.
        tokens: the new ones.
        step: room for them.
        last: which of the tokens is each row's last; the last column if not given.

    Shapes:
        tokens ``b t``; returns ``b v``.
    """
    features = model.features(tokens, cache=step)
    if last is None:
        chosen = features[:, -1]
    else:
        chosen = features[torch.arange(len(features)), list(last)]
    return F.linear(chosen, model.output_weight)


def check_prompt(model: LanguageModel, prompt: Sequence[int]) -> None:
    """Refuse a prompt that the model cannot read.

    Raises:
        ValueError: it is empty, longer than the context, or has an id that is not in the
            vocabulary.
    """
    longest, size = model.config.context_length, model.config.vocab_size
    if not 1 <= len(prompt) <= longest:
        raise ValueError(
            f"prompt: expected 1 to context_length={longest} tokens, got {len(prompt)}. "
            "Fix: shorten it."
        )
    if min(prompt) < 0 or max(prompt) >= size:
        raise ValueError(
            f"prompt: expected ids from 0 to vocab_size - 1 = {size - 1}, "
            f"got {min(prompt)} to {max(prompt)}."
        )


def most_new_tokens(model: LanguageModel, prompt: Sequence[int]) -> int:
    """How many tokens can follow the prompt: the last one is never read, so needs no place."""
    return model.config.context_length - len(prompt) + 1
