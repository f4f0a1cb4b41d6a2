"""Speculative decoding: a cheap draft guesses some tokens, the model judges them all in one call.

Reading five tokens costs a large model little more than reading one, for it is the weights that
take the time. The acceptance rule is such that what is written follows the model's own distribution
exactly, however bad the draft: a bad one only makes it slower.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from llm_course.decoding.continuation import Continuation, Generation, GenerationConfig
from llm_course.decoding.drafts import Draft
from llm_course.decoding.generate import read_chunk
from llm_course.decoding.kv_cache import KVCache
from llm_course.decoding.language_model import LanguageModel, new_cache
from llm_course.decoding.sampling import History, draw
from llm_course.decoding.text_stream import Tokenizer
from llm_course.shapes import check_shape


def accept(
    drafted: Sequence[int], draft: Tensor, target: Tensor, generator: torch.Generator
) -> list[int]:
    """Judge drafted tokens: those that are accepted, and one more that the target chooses.

    A token ``x`` that was drawn from ``q`` is accepted with probability ``min(1, p(x) / q(x))``.
    The first one that is not is replaced by a draw from ``max(0, p - q)``, normalised, and the rest
    is dropped. If all are accepted, one more is drawn from the target. Then the first token follows
    ``p``: ``min(p, q)`` comes from the draft, and what is missing of ``p`` is ``max(0, p - q)``.

    Args:
        drafted: the tokens.
        draft: the distribution ``q`` that each was drawn from.
        target: the distribution ``p`` of the model at each, and after the last.
        generator: of the random numbers.

    Shapes:
        draft ``n v``; target ``n+1 v``; returns 1 to ``n + 1`` tokens.

    Raises:
        ShapeError: the sizes do not fit.

    Source:
        Leviathan et al. 2023, arXiv:2211.17192, algorithm 1; Chen et al. 2023, arXiv:2302.01318.

    >>> q, p = torch.tensor([[0.5, 0.5, 0.0]]), torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    >>> accept([0], q, p, torch.Generator().manual_seed(0))  # p > q: accepted, and one more
    [0, 2]
    >>> accept([1], q, p, torch.Generator().manual_seed(0))  # p = 0: replaced
    [0]
    """
    check_shape(draft, "n v", "draft", n=len(drafted))
    check_shape(target, "n v", "target", n=len(drafted) + 1, v=draft.shape[1])
    uniforms = torch.rand(len(drafted), generator=generator, dtype=torch.float64)
    n_accepted, following = judge_draft(drafted, draft, target, uniforms)
    return [*drafted[:n_accepted], int(draw(following[None], generator))]


def judge_draft(
    drafted: Sequence[int], q: Tensor, p: Tensor, uniforms: Tensor
) -> tuple[int, Tensor]:
    """How many drafted tokens are accepted, and the distribution of the token that follows them.

    Args:
        drafted: the tokens.
        q: the distribution that each was drawn from.
        p: the distribution of the target at each, and after the last.
        uniforms: a random number from 0 to below 1 for each token.

    Shapes:
        q ``n v``, p ``n+1 v``, uniforms ``n``; returns a number from 0 to ``n``, and ``v``.

    Source:
        Leviathan et al. 2023, arXiv:2211.17192, algorithm 1.

    >>> q, p = torch.tensor([[0.75, 0.25]]), torch.tensor([[0.25, 0.75], [0.0, 1.0]])
    >>> [judge_draft([0], q, p, torch.tensor([u])) for u in (0.3, 0.4)]
    [(1, tensor([0., 1.])), (0, tensor([0., 1.]))]
    """
    for i, (token, uniform) in enumerate(zip(drafted, uniforms.tolist(), strict=True)):
        if uniform * q[i, token].item() >= p[i, token].item():  # not: uniform < p / q
            missing = (p[i] - q[i].to(p)).clamp(min=0)
            # Rounding can reject a token of two equal distributions; then nothing is missing.
            return i, missing / missing.sum() if missing.sum() > 0 else p[i]
    return len(drafted), p[-1]


@dataclass
class DraftStatistics:
    """How well a draft did.

    Args:
        n_calls: calls of the target.
        n_drafted: tokens that were proposed.
        n_accepted: tokens of them that were accepted.
    """

    n_calls: int = 0
    n_drafted: int = 0
    n_accepted: int = 0

    @property
    def acceptance(self) -> float:
        """The share of the proposed tokens that was accepted; 0 if none was proposed."""
        return self.n_accepted / max(self.n_drafted, 1)


def generate_speculatively(
    model: LanguageModel,
    draft: Draft,
    prompt: Sequence[int],
    config: GenerationConfig | None = None,
    tokenizer: Tokenizer | None = None,
    n_draft: int = 4,
) -> tuple[Generation, DraftStatistics]:
    """Continue a prompt as ``generate`` does, judging several drafted tokens a call.

    With greedy search the text is that of ``generate``; otherwise it follows the same distribution,
    by other random numbers.

    Args:
        model: the target.
        draft: what guesses, with the vocabulary of the target.
        prompt: token ids.
        config: how the prompt is continued.
        tokenizer: as in ``generate``.
        n_draft: the most tokens that are guessed at a time.

    Raises:
        ValueError: as ``generate``; or ``n_draft`` is below 1.
        ShapeError: the draft has another vocabulary.

    >>> from llm_course.model.decoder import Decoder
    >>> from llm_course.model.config import DecoderConfig
    >>> from llm_course.decoding.drafts import PromptLookup
    >>> model = Decoder(DecoderConfig(
    ...     vocab_size=5, context_length=16, d_model=4, n_layers=1, n_heads=2, d_ff=3
    ... ))
    >>> config = GenerationConfig(max_new_tokens=9)
    >>> written, seen = generate_speculatively(model, PromptLookup(5), [1, 2], config)
    >>> len(written.tokens), seen.n_calls <= 9
    (9, True)
    """
    if n_draft < 1:
        raise ValueError(f"n_draft: expected at least 1, got {n_draft}.")
    text = Continuation(model, prompt, config or GenerationConfig(), tokenizer)
    cache = new_cache(model, 1, len(prompt) + text.most - 1)
    seen = DraftStatistics()
    while text.reason is None:
        known = text.tokens
        # The target adds a token to those that are accepted, and must not write more than it may.
        most = text.most - len(text.history.written) - 1
        drafted, q = draft.propose(text.history, min(n_draft, most)) if most else ([], None)
        p = _judge(model, text, known, drafted, cache)
        chosen = accept(drafted, p[:0] if q is None else q, p, text.sampler.generator)
        seen.n_calls += 1
        seen.n_drafted += len(drafted)
        seen.n_accepted += len(chosen) - 1
        cache.truncate([len(known) + len(chosen) - 1])  # the last one is not read yet
        for token in chosen:
            text.append(token)
            if text.reason is not None:
                break
    return text.result(), seen


def _judge(
    model: LanguageModel, text: Continuation, known: list[int], drafted: list[int], cache: KVCache
) -> Tensor:
    """The target's distribution at each drafted token and after the last, ``n+1 v``.

    The penalties at a drafted token count the drafted tokens before it.
    """
    new = [*known[cache.lengths[0] :], *drafted]
    logits = read_chunk(model, new, cache, n_last=len(drafted) + 1)
    prompt, written = text.history.prompt, text.history.written
    histories = [History(prompt, [*written, *drafted[:i]]) for i in range(len(drafted) + 1)]
    return text.sampler.probabilities(logits, histories)
