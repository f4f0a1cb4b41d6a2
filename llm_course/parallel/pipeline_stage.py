"""One stage of a pipeline: the decoder without the layers that other stages have.

What is left keeps its name, so that a stage's weights can be compared with the whole model's. The
first stage has the embedding, the last one the final norm and the output matrix; where that is the
embedding's, both have a copy, and its two gradients have to be added.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from llm_course.model.decoder import Decoder
from llm_course.parallel.group import Group, finish_send, receive, start_send


def stage_layers(n_layers: int, n_stages: int) -> list[range]:
    """The layers of each stage: consecutive, and as even as can be.

    Raises:
        ValueError: there are more stages than layers.

    >>> stage_layers(5, 2)
    [range(0, 3), range(3, 5)]
    """
    if not 1 <= n_stages <= n_layers:
        raise ValueError(f"n_stages: expected 1 to n_layers={n_layers}, got {n_stages}.")
    small, extra = divmod(n_layers, n_stages)
    ends = [small * stage + min(stage, extra) for stage in range(n_stages + 1)]
    return [range(*pair) for pair in pairwise(ends)]


def keep_stage(model: Decoder, stage: int, n_stages: int) -> range:
    """Take out of a decoder, in place, what other stages have.

    Returns:
        The layers that are left.

    Raises:
        ValueError: there are more stages than layers, or the positions are T5's, whose weights all
            layers share.

    >>> from llm_course.model.config import DecoderConfig
    >>> model = Decoder(DecoderConfig(
    ...     vocab_size=4, context_length=8, d_model=4, n_layers=2, n_heads=1, d_ff=4,
    ...     tie_embeddings=False,
    ... ))
    >>> keep_stage(model, stage=0, n_stages=2)
    range(0, 1)
    >>> model.blocks[1], model.output
    (Identity(), None)
    """
    if model.config.position == "t5" and n_stages > 1:
        raise ValueError("position: expected another than t5, whose bias all stages would share.")
    layers = stage_layers(model.config.n_layers, n_stages)[stage]
    for index in range(model.config.n_layers):
        if index not in layers:
            model.blocks[index] = nn.Identity()  # keeps the place, and so the names
    if stage > 0:
        model.position_embedding = model.embedding_norm = None
    if stage < n_stages - 1:
        model.final_norm = model.output = None
    elif stage > 0 and not model.config.tie_embeddings:
        model.embedding = None
    if 0 < stage < n_stages - 1:
        model.embedding = None
    return layers


def stage_forward(model: Decoder, layers: range, x: Tensor) -> Tensor:
    """The stream after this stage's layers.

    Args:
        model: what ``keep_stage`` left.
        layers: what it returned.
        x: token ids on the first stage, and the stream from the stage before on all others.

    Shapes:
        x ``b t`` or ``b t d``; returns ``b t d``.
    """
    positions = torch.arange(x.shape[1], device=x.device)
    if not x.is_floating_point():
        x = model.embed(x, positions)
    mask = model.default_mask(len(positions), x.device)
    rotate, bias = model.rotation(positions), model.score_bias(positions)
    for index in layers:
        x = model.blocks[index](x, mask, rotate, bias)
    return x


def add_tied_gradient(gradient: Tensor, group: Group) -> None:
    """Add, in place, the two gradients of an embedding that is the output matrix as well.

    Only the first and the last stage call it; each sends its own to the other.

    Shapes:
        gradient ``v d``, contiguous.

    Raises:
        RankLost: the other stage is not there.
    """
    other = group.size - 1 - group.rank  # 0 and p - 1
    work = start_send(gradient, group, other)
    theirs = receive(torch.empty_like(gradient), group, other)
    finish_send(work, group, other)
    n_bytes = gradient.numel() * gradient.element_size()
    group.ledger.add("send", group.name, "tied embedding", payload=n_bytes, sent=n_bytes)
    gradient.add_(theirs)
