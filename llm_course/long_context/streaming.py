"""Reading and writing without end: a stream of tokens at constant memory.

The model sees through a Λ and keeps a rolling cache, so the millionth token costs what the
thousandth did. It does not remember what lies between the sinks and the window: this is fluency
without end, not a longer memory.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_course.decoding.language_model import LanguageModel, last_logits
from llm_course.long_context.lambda_attention import lambda_model
from llm_course.long_context.rolling_cache import RollingCache
from llm_course.model.decoder import Decoder

Choose = Callable[[Tensor], int]
"""The next token from its logits ``v``."""


def most_likely(logits: Tensor) -> int:
    """The token with the largest logit.

    >>> most_likely(torch.tensor([0.5, 2.0, 1.0]))
    1
    """
    return int(logits.argmax())


@torch.no_grad()
def stream_losses(
    model: Decoder, tokens: Iterable[int], *, n_sinks: int, window: int, chunk: int = 32
) -> Iterator[float]:
    """The surprise at every token of a text but the first, in nats, as it is read.

    Args:
        model: a decoder with RoPE.
        tokens: the text; it may be endless.
        n_sinks: as in ``lambda_mask``.
        window: as there.
        chunk: tokens that are read at once; it changes memory and speed, not the result.

    Raises:
        ValueError: a size is out of range, or the model cannot be seen through a Λ.
    """
    if chunk < 1:
        raise ValueError(f"chunk: expected 1 or more, got {chunk}.")
    seen, cache = lambda_model(model, n_sinks, window), rolling_cache(model, 1, n_sinks, window)
    return _losses(seen, iter(tokens), cache, chunk)


@torch.no_grad()
def _losses(
    seen: LanguageModel, stream: Iterator[int], cache: RollingCache, chunk: int
) -> Iterator[float]:
    last = list(islice(stream, 1))
    while new := list(islice(stream, chunk)):
        part = [*last, *new]
        row = torch.tensor([part[:-1]], device=seen.output_weight.device)
        features = seen.features(row, cache=cache.extend(len(new)))
        logits = F.linear(features[0], seen.output_weight).float()
        targets = torch.tensor(new, device=logits.device)
        yield from F.cross_entropy(logits, targets, reduction="none").tolist()
        last = new[-1:]


def stream_generate(
    model: Decoder,
    prompt: Sequence[int],
    *,
    n_sinks: int,
    window: int,
    choose: Choose = most_likely,
    chunk: int = 32,
) -> Iterator[int]:
    """Continue a prompt without end, token by token; whoever asks for tokens decides when to stop.

    Args:
        model: a decoder with RoPE.
        prompt: token ids, one at least; it may be longer than the window.
        n_sinks: as in ``lambda_mask``.
        window: as there.
        choose: the next token from its logits.
        chunk: tokens of the prompt that are read at once.

    Raises:
        ValueError: the prompt is empty, a size is out of range, or the model cannot be seen through
            a Λ.
    """
    if not prompt:
        raise ValueError("prompt: expected at least one token, got none.")
    if chunk < 1:
        raise ValueError(f"chunk: expected 1 or more, got {chunk}.")
    seen, cache = lambda_model(model, n_sinks, window), rolling_cache(model, 1, n_sinks, window)
    return _written(seen, list(prompt), cache, choose, chunk)


def _written(
    seen: LanguageModel, prompt: list[int], cache: RollingCache, choose: Choose, chunk: int
) -> Iterator[int]:
    for start in range(0, len(prompt), chunk):
        logits = _read(seen, prompt[start : start + chunk], cache)
    while True:
        token = choose(logits)
        yield token
        logits = _read(seen, [token], cache)


@torch.no_grad()
def _read(seen: LanguageModel, tokens: list[int], cache: RollingCache) -> Tensor:
    """The logits ``v`` after more tokens."""
    row = torch.tensor([tokens], device=seen.output_weight.device)
    return last_logits(seen, row, cache.extend(len(tokens)))[0]


def rolling_cache(model: LanguageModel, n_rows: int, n_sinks: int, window: int) -> RollingCache:
    """A rolling cache that fits the model.

    Args:
        model: whose keys and values are kept.
        n_rows: texts of the batch.
        n_sinks: as in ``lambda_mask``.
        window: as there.
    """
    config, weight = model.config, model.output_weight
    return RollingCache(
        config.n_layers, config.n_kv_heads, config.d_head, n_rows=n_rows, n_sinks=n_sinks,
        window=window, dtype=weight.dtype, device=weight.device,
    )  # fmt: skip
