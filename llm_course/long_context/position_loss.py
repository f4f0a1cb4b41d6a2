"""Loss and perplexity by position: where in a text a model still profits from what it has read.

A model that uses its context foretells late tokens better than early ones; one that is beyond the
lengths that it knows foretells them worse. A mean over the text hides both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from llm_course.decoding.language_model import LanguageModel
from llm_course.shapes import check_shape

LogProbs = Callable[[Tensor], Tensor]
"""Log-probabilities ``b t v`` of the token after each of ``b t``."""

Losses = Callable[[Tensor], Tensor]
"""The surprise ``b t-1`` at every token of ``b t`` but the first, in nats."""


def losses_of(log_probs: LogProbs, tokens: Tensor) -> Tensor:
    """The surprise at every token but the first: ``-log p(token | those before)``, in nats.

    Args:
        log_probs: what foretells.
        tokens: the texts.

    Shapes:
        tokens ``b t``; returns ``b t-1``.

    Raises:
        ShapeError: the tokens are not ``b t``, or the log-probabilities not ``b t v``.
        ValueError: there are fewer than two tokens.

    >>> def coin(tokens):  # two faces, equally likely
    ...     return torch.full((*tokens.shape, 2), 0.5).log()
    >>> losses_of(coin, torch.tensor([[0, 1, 1]])).round(decimals=4).tolist()
    [[0.6930999755859375, 0.6930999755859375]]
    """
    sizes = _check(tokens)
    foretold = log_probs(tokens)
    check_shape(foretold, "b t v", "log_probs", **sizes)
    after = rearrange(tokens[:, 1:], "b t -> b t 1")
    return -foretold[:, :-1].gather(-1, after).squeeze(-1)


@torch.no_grad()
def token_losses(model: LanguageModel, tokens: Tensor, chunk: int = 256) -> Tensor:
    """``losses_of`` a model, with the logits of ``chunk`` positions at a time.

    Args:
        model: a decoder, or what reads as one (``DynamicNTK``).
        tokens: the texts.
        chunk: positions whose logits are held at once.

    Shapes:
        tokens ``b t``; returns ``b t-1``, fp32 at least.

    Raises:
        ShapeError: the tokens are not ``b t``.
        ValueError: there are fewer than two tokens, or the chunk is empty.
    """
    _check(tokens)
    if chunk < 1:
        raise ValueError(f"chunk: expected 1 or more, got {chunk}.")
    features, weight, parts = model.features(tokens[:, :-1]), model.output_weight, []
    for part, after in zip(
        features.split(chunk, dim=1), tokens[:, 1:].split(chunk, dim=1), strict=True
    ):
        logits = F.linear(part, weight)
        logits = rearrange(logits, "b t v -> b v t").to(
            torch.promote_types(logits.dtype, torch.float32)
        )
        parts.append(F.cross_entropy(logits, after, reduction="none"))
    return torch.cat(parts, dim=1)


@dataclass(frozen=True, kw_only=True)
class Band:
    """The tokens of some consecutive positions.

    Args:
        start: the first position.
        end: the one after the last.
        loss: mean surprise, in nats a token.
        n: tokens that were averaged.
    """

    start: int
    end: int
    loss: float
    n: int

    @property
    def perplexity(self) -> float:
        """``exp(loss)``: among how many equally likely tokens the model wavers."""
        return float(torch.tensor(self.loss, dtype=torch.float64).exp())


def perplexity_by_position(losses: Tensor, edges: Sequence[int]) -> list[Band]:
    """Loss and perplexity of each band of positions, over all texts.

    Args:
        losses: the surprise at every token but the first (``token_losses``).
        edges: where the bands begin and the last one ends, as positions of the tokens that are
            foretold; the first of them is 1.

    Shapes:
        losses ``b t-1``.

    Raises:
        ShapeError: the losses are not ``b t``.
        ValueError: the edges do not rise, or leave the text.

    >>> bands = perplexity_by_position(torch.tensor([[2.0, 4.0, 8.0]]).log(), [1, 3, 4])
    >>> [round(band.perplexity, 4) for band in bands]  # sqrt(2 * 4), and 8
    [2.8284, 8.0]
    """
    n_tokens = check_shape(losses, "b t", "losses")["t"] + 1
    rising = all(low < high for low, high in pairwise(edges))
    if len(edges) < 2 or not rising or edges[0] < 1 or edges[-1] > n_tokens:
        raise ValueError(
            f"edges: expected two or more, rising, from 1 to {n_tokens}, got {list(edges)}."
        )
    bands = []
    for start, end in pairwise(edges):
        part = losses[:, start - 1 : end - 1].double()
        bands.append(Band(start=start, end=end, loss=part.mean().item(), n=part.numel()))
    return bands


def answer_loss(losses: Losses, prompt: Sequence[int], answer: Sequence[int]) -> float:
    """The mean surprise at an answer after a prompt, in nats a token.

    It falls long before a greedy answer is right, so a weak reader can be measured by it.

    Args:
        losses: what is measured, such as ``partial(token_losses, model)``.
        prompt: token ids, one at least.
        answer: token ids, one at least.

    Raises:
        ValueError: one of them is empty.
    """
    if not prompt or not answer:
        raise ValueError(
            f"prompt, answer: expected tokens in both, got {len(prompt)} and {len(answer)}."
        )
    tokens = torch.tensor([[*prompt, *answer]])
    return losses(tokens)[0, -len(answer) :].mean().item()


def _check(tokens: Tensor) -> dict[str, int]:
    sizes = check_shape(tokens, "b t", "tokens")
    if sizes["t"] < 2:
        raise ValueError(f"tokens: expected two or more, got {sizes['t']}.")
    return sizes
