"""Generation: continue prompts token by token, with a KV cache.

``generate`` returns whole texts; ``stream`` hands out one text as it is written. Both read the
prompts in one call of the model and then one token a text and step. A text that has ended leaves
the batch. Leaves out beam search (``beam``), drafts (``speculative``) and texts that join a running
batch (``engine``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_course.decoding.continuation import (
    Continuation,
    Generation,
    GenerationConfig,
    Reason,
    choose,
)
from llm_course.decoding.kv_cache import KVCache
from llm_course.decoding.language_model import LanguageModel, last_logits, new_cache
from llm_course.decoding.text_stream import Tokenizer


def generate(
    model: LanguageModel,
    prompts: Sequence[Sequence[int]],
    config: GenerationConfig | None = None,
    tokenizer: Tokenizer | None = None,
) -> list[Generation]:
    """Continue prompts, which may differ in length, all in one batch.

    Text ``i`` is the one that ``generate`` writes for its prompt alone with the seed ``seed + i``:
    the others change nothing, and a prompt that is given twice is continued in two ways.

    Args:
        model: what reads and writes.
        prompts: token ids of each.
        config: how they are continued; greedy search if not given.
        tokenizer: makes text of the tokens; needed for stop strings.

    Raises:
        ValueError: there is no prompt, one is empty or longer than the context, or a stop string
            could never be found.

    >>> from llm_course.model.decoder import Decoder
    >>> from llm_course.model.config import DecoderConfig
    >>> model = Decoder(DecoderConfig(
    ...     vocab_size=5, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=3
    ... ))
    >>> [written] = generate(model, [[1, 2, 3]], GenerationConfig(max_new_tokens=4))
    >>> len(written.tokens), written.reason
    (4, 'length')
    """
    config = config or GenerationConfig()
    if not prompts:
        raise ValueError("prompts: expected at least one, got none.")
    texts = []
    for i, prompt in enumerate(prompts):
        sampling = replace(config.sampling, seed=config.sampling.seed + i)
        own = config if config.sampling.temperature == 0 else replace(config, sampling=sampling)
        texts.append(Continuation(model, prompt, own, tokenizer))
    for _ in write(model, texts):
        pass
    return [text.result() for text in texts]


@dataclass(frozen=True)
class Piece:
    """One step of a text.

    Args:
        token: the new token.
        text: the text that became certain with it; it may be empty.
        reason: why the text ended with it, or None if it goes on.
    """

    token: int
    text: str
    reason: Reason | None


def stream(
    model: LanguageModel,
    prompt: Sequence[int],
    config: GenerationConfig | None = None,
    tokenizer: Tokenizer | None = None,
) -> Iterator[Piece]:
    """Continue one prompt, handing out every token when it is chosen.

    The pieces' texts, joined, are the text of ``generate``. Arguments and errors are those of
    ``generate``; errors come at once, not with the first piece.
    """
    text = Continuation(model, prompt, config or GenerationConfig(), tokenizer)

    def pieces() -> Iterator[Piece]:
        for [piece] in write(model, [text]):
            yield Piece(text.history.written[-1], piece, text.reason)

    return pieces()


def write(model: LanguageModel, texts: Sequence[Continuation]) -> Iterator[list[str]]:
    """Write the texts to their end; after each step, what became certain of those that ran.

    The loop of generation: choose a token for every text, let go of those that ended, read the
    tokens of the others.
    """
    live = list(texts)
    cache = new_cache(model, len(live), _places(live))
    logits = read_prompts(model, [text.history.prompt for text in live], cache)
    while live:
        tokens = choose(logits, live)
        yield [text.append(token) for text, token in zip(live, tokens, strict=True)]
        going_on = [row for row, text in enumerate(live) if text.reason is None]
        live = [live[row] for row in going_on]
        if live:
            cache.select(going_on)
            logits = read_tokens(model, [tokens[row] for row in going_on], cache)


@torch.inference_mode()
def read_prompts(model: LanguageModel, prompts: Sequence[Sequence[int]], cache: KVCache) -> Tensor:
    """Read prompts into an empty cache, padded on the right to one length.

    Shapes:
        returns the logits ``b v`` after the last token of each.
    """
    lengths = [len(prompt) for prompt in prompts]
    longest = max(lengths)
    padded = [list(prompt) + [0] * (longest - len(prompt)) for prompt in prompts]
    tokens = torch.tensor(padded, device=model.output_weight.device)
    last = None if min(lengths) == longest else [length - 1 for length in lengths]
    return last_logits(model, tokens, cache.extend(longest, lengths), last)


@torch.inference_mode()
def read_tokens(model: LanguageModel, tokens: Sequence[int], cache: KVCache) -> Tensor:
    """Read one more token of each text.

    Shapes:
        returns the logits ``b v`` after it.
    """
    column = torch.tensor(tokens, device=model.output_weight.device)[:, None]
    return last_logits(model, column, cache.extend(1))


@torch.inference_mode()
def read_chunk(model: LanguageModel, tokens: Sequence[int], cache: KVCache, n_last: int) -> Tensor:
    """Read several more tokens of one text.

    Shapes:
        returns the logits ``n v`` at the last ``n = n_last`` of them.
    """
    row = torch.tensor([list(tokens)], device=model.output_weight.device)
    features = model.features(row, cache=cache.extend(len(tokens)))
    return F.linear(features[0, -n_last:], model.output_weight)


def _places(texts: Sequence[Continuation]) -> int:
    """The longest text that must be read: the last token that is written need not be."""
    return max(len(text.history.prompt) + text.most - 1 for text in texts)
