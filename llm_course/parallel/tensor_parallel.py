"""Tensor parallelism of the course's decoder: each layer's matrices dealt out over the ranks.

Attention: query, key and value by columns, which are whole heads, and the output by rows.
Feed-forward: gate and up by columns, down by rows. Embedding and output matrix by vocabulary.
Norms stay whole. A layer then needs two sums forward and two backward. Leaves out sequence
parallelism, and building the shards without the whole model.
"""

from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from llm_course.model.attention import Attention
from llm_course.model.decoder import Decoder
from llm_course.model.feed_forward import FeedForward
from llm_course.parallel.group import Group
from llm_course.parallel.regions import enter, leave
from llm_course.parallel.vocabulary_parallel import (
    VocabularyEmbedding,
    vocabulary_cross_entropy,
)
from llm_course.training.loss import linear_cross_entropy


class RowParallelLinear(nn.Module):
    """A linear layer by rows: this rank's term of the product, then the sum; the bias once.

    Args:
        whole: what is dealt out; this rank's part is copied.
        group: the ranks that share it.
        purpose: what the ledger enters.

    Shapes:
        x ``... f/n``; returns ``... d``.
    """

    def __init__(self, whole: nn.Linear, group: Group, purpose: str = "") -> None:
        super().__init__()
        self.group, self.purpose = group, purpose
        # nn.Linear keeps the transpose: its columns are the rows of the formula.
        self.weight = _part(whole.weight, 1, group)
        self.bias = whole.bias

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: x ``... f/n``; returns ``... d``."""
        total = leave(F.linear(x, self.weight), self.group, self.purpose)
        return total if self.bias is None else total + self.bias


def tensor_parallelise(model: Decoder, group: Group) -> dict[str, int]:
    """Leave this rank its part of every matrix, in place.

    Args:
        model: the whole model, the same on all ranks.
        group: the ranks that share it.

    Returns:
        The parameters that are dealt out, with the axis along which; all others are whole on
        every rank.

    Raises:
        ValueError: the ranks do not divide the heads, the hidden features or the vocabulary, or
            the positions are a bias of the scores.

    Source:
        Shoeybi et al. 2019, arXiv:1909.08053, section 3.

    >>> from llm_course.model.config import DecoderConfig
    >>> model = Decoder(DecoderConfig(
    ...     vocab_size=4, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=4
    ... ))
    >>> dealt = tensor_parallelise(model, Group(name="tensor"))
    >>> dealt["blocks.0.attention.query.weight"], dealt["blocks.0.attention.output.weight"]
    (0, 1)
    """
    _check(model, group)
    dealt: dict[str, int] = {}
    for index, block in enumerate(model.blocks):
        name = f"blocks.{index}"
        dealt |= _deal_attention(block.attention, group, f"{name}.attention")
        dealt |= _deal_feed_forward(block.feed_forward, group, f"{name}.feed_forward")
    model.embedding = VocabularyEmbedding(model.embedding, group)
    dealt["embedding.weight"] = 0
    if model.output is not None:
        _deal_columns(model.output, group)
        dealt["output.weight"] = 0
    return dealt


def stream_loss(model: Decoder, x: Tensor, targets: Tensor, group: Group) -> Tensor:
    """The mean loss from the stream after the last block, whether the vocabulary is whole or not.

    Shapes:
        x ``b t d``; targets ``b t``; returns a scalar.
    """
    features = model.finish(x)
    if group.size == 1:
        return linear_cross_entropy(features, model.output_weight, targets)
    logits = F.linear(enter(features, group, "output"), model.output_weight)
    return vocabulary_cross_entropy(logits, targets, group)


def _check(model: Decoder, group: Group) -> None:
    config, n = model.config, group.size
    sizes = ("n_heads", "n_kv_heads", "d_ff", "vocab_size")
    for name in sizes:
        if getattr(config, name) % n:
            raise ValueError(f"{name}: expected a multiple of {n} ranks, got "
                             f"{getattr(config, name)}.")  # fmt: skip
    if n > 1 and config.position in ("alibi", "t5"):
        raise ValueError(
            f"position: expected rope, learned, sinusoidal or none, got {config.position!r}: "
            "a bias of the scores would have to be dealt out by heads."
        )


def _deal_attention(attention: Attention, group: Group, purpose: str) -> dict[str, int]:
    """This rank's heads: their rows of three matrices, their columns of the fourth."""
    for layer in (attention.query, attention.key, attention.value):
        _deal_columns(layer, group)
    attention.output = RowParallelLinear(attention.output, group, purpose)
    attention.n_heads //= group.size
    attention.n_kv_heads //= group.size
    attention.register_forward_pre_hook(partial(_enter_module, group=group, purpose=purpose))
    return _axes(attention, purpose, rows="output")


def _deal_feed_forward(layer: FeedForward, group: Group, purpose: str) -> dict[str, int]:
    """This rank's hidden features."""
    for part in (layer.gate, layer.up):
        if part is not None:
            _deal_columns(part, group)
    layer.down = RowParallelLinear(layer.down, group, purpose)
    layer.register_forward_pre_hook(partial(_enter_module, group=group, purpose=purpose))
    return _axes(layer, purpose, rows="down")


def _deal_columns(layer: nn.Linear, group: Group) -> None:
    """Leave a linear layer this rank's output features, with their biases."""
    layer.weight = _part(layer.weight, 0, group)
    layer.out_features //= group.size
    if layer.bias is not None:
        layer.bias = _part(layer.bias, 0, group)


def _part(whole: Tensor, axis: int, group: Group) -> nn.Parameter:
    """This rank's part of a parameter, as a copy, so that the whole can be forgotten."""
    return nn.Parameter(whole.detach().chunk(group.size, axis)[group.rank].clone())


def _enter_module(
    module: nn.Module, inputs: tuple[Tensor, ...], group: Group, purpose: str
) -> tuple[Tensor, ...]:
    """Once for all the column-parallel layers of a module: one sum backward, not three."""
    return enter(inputs[0], group, purpose), *inputs[1:]


def _axes(module: nn.Module, prefix: str, rows: str) -> dict[str, int]:
    """The parameters that are dealt out with their axes; the bias of the layer by rows is not."""
    names = [name for name, _ in module.named_parameters() if name != f"{rows}.bias"]
    return {f"{prefix}.{name}": int(name == f"{rows}.weight") for name in names}
