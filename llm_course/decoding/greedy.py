"""Greedy decoding of an encoder-decoder: always the most likely next token.

The encoder reads the source once; the decoder writes a token at a time and reads what it wrote.
Leaves out the cache: every step computes the whole target again.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from llm_course.model.config import DecoderConfig, EncoderDecoderConfig
from llm_course.model.encoder_decoder import EncoderDecoder
from llm_course.pretrained.pretrained_model import assemble
from llm_course.shapes import check_shape


@torch.no_grad()
def greedy_target(
    model: EncoderDecoder, source: Tensor, start_id: int, end_id: int, max_tokens: int
) -> Tensor:
    """The target that takes the most likely token at every step, for each source of the batch.

    A sequence that has written ``end_id`` is finished and is filled up with ``end_id``. It ends
    when all are finished, or after ``max_tokens``.

    Args:
        model: the encoder-decoder.
        source: token ids, without padding.
        start_id: what the decoder reads first; it is not part of the result.
        end_id: what closes a target.
        max_tokens: most tokens to write.

    Shapes:
        source ``b k``; returns ``b n`` with ``n <= max_tokens``.

    Raises:
        ShapeError: the source is not ``b k``.
        ValueError: ``max_tokens`` is not positive.

    >>> stack = DecoderConfig(
    ...     vocab_size=5, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=3
    ... )
    >>> model = EncoderDecoder(EncoderDecoderConfig(encoder=stack, decoder=stack))
    >>> greedy_target(model, torch.tensor([[1, 2]]), start_id=0, end_id=4, max_tokens=3).shape[0]
    1
    """
    check_shape(source, "b k", "source")
    if max_tokens < 1:
        raise ValueError(f"max_tokens: expected 1 or more, got {max_tokens}.")
    memory = model.encode(source)
    target = torch.full_like(source[:, :1], start_id)
    finished = torch.zeros_like(target, dtype=torch.bool)
    for _ in range(max_tokens):
        logits = model.decoder(target, memory=memory)[:, -1]
        token = logits.argmax(dim=-1, keepdim=True).masked_fill(finished, end_id)
        target = torch.cat([target, token], dim=1)
        finished = finished | (token == end_id)
        if finished.all():
            break
    return target[:, 1:]


def greedy_decode(
    settings: Mapping[str, object],
    weights: Mapping[str, Tensor],
    source: Tensor,
    start_id: int,
    end_id: int,
    max_tokens: int,
) -> Tensor:
    """``greedy_target`` of a model that is given as data: its settings and its weights.

    Args:
        settings: what ``DecoderConfig.from_dict`` takes, the same for encoder and decoder.
        weights: every tensor of the model, by the course's names.
        source: as in ``greedy_target``, like all that follow.
        start_id: as there.
        end_id: as there.
        max_tokens: as there.

    Shapes:
        source ``b k``; returns ``b n`` with ``n <= max_tokens``.

    Raises:
        CourseError: the weights do not fit the settings.
        ShapeError, ValueError: as ``greedy_target``.

    >>> settings = {"vocab_size": 5, "context_length": 8, "d_model": 4, "n_layers": 1,
    ...             "n_heads": 2, "d_ff": 3}
    >>> stack = DecoderConfig(**settings)
    >>> weights = EncoderDecoder(EncoderDecoderConfig(encoder=stack, decoder=stack)).state_dict()
    >>> greedy_decode(settings, weights, torch.tensor([[1, 2]]), 0, 4, max_tokens=1).shape
    torch.Size([1, 1])
    """
    model = assemble_pair(settings, weights)
    return greedy_target(model, source, start_id, end_id, max_tokens)


def assemble_pair(settings: Mapping[str, object], weights: Mapping[str, Tensor]) -> EncoderDecoder:
    """An encoder-decoder whose two stacks have the same settings.

    Args:
        settings: what ``DecoderConfig.from_dict`` takes.
        weights: every tensor of the model, by the course's names.

    Raises:
        CourseError: the weights do not fit the settings.

    >>> settings = {"vocab_size": 5, "context_length": 8, "d_model": 4, "n_layers": 1,
    ...             "n_heads": 2, "d_ff": 3}
    >>> stack = DecoderConfig(**settings)
    >>> weights = EncoderDecoder(EncoderDecoderConfig(encoder=stack, decoder=stack)).state_dict()
    >>> assemble_pair(settings, weights).n_parameters
    312
    """
    stack = DecoderConfig.from_dict(settings)
    config = EncoderDecoderConfig(encoder=stack, decoder=stack)
    return assemble(config, weights, "weights", kind=EncoderDecoder)
