"""A stack of blocks from token ids to the residual stream: what encoder and decoder have in common.

They differ in whom a token may attend to when no mask is given, and in what follows the stack.
"""

from functools import partial

import torch
from torch import Tensor, nn

from llm_course.model.alibi import alibi_bias, alibi_slopes
from llm_course.model.attention import Attend, Rotate, scaled_dot_product_attention
from llm_course.model.block import Block
from llm_course.model.config import DecoderConfig
from llm_course.model.deep_norm import DeepNorm, deep_norm_one_stack
from llm_course.model.norms import NORMS
from llm_course.model.positions import (
    for_features,
    rope_angles,
    rope_frequencies,
    turn_features,
)
from llm_course.model.relative_positions import check_buckets, relative_bias, relative_buckets
from llm_course.model.score_bias import distances
from llm_course.model.sinusoidal import sinusoidal_positions
from llm_course.shapes import check_shape


class Stack(nn.Module):
    """Embedding, blocks and, unless the norms stand after the sub-layers, a final norm.

    Args:
        config: its sizes and choices.
        attend: what computes attention from the heads, for all layers.
        cross_attention: whether its blocks attend to a memory as well.
        deep_norm: the constants of the placement ``deep_norm``; those of a stack that stands
            alone if not given.
    """

    bidirectional = False
    """Whether a token may attend to those after it."""

    def __init__(
        self,
        config: DecoderConfig,
        attend: Attend = scaled_dot_product_attention,
        cross_attention: bool = False,
        deep_norm: DeepNorm | None = None,
    ) -> None:
        super().__init__()
        self.config, wiring = config, config.wiring
        after = wiring.placement in ("post", "deep_norm")
        if wiring.placement == "deep_norm":
            deep_norm = deep_norm or deep_norm_one_stack(config.n_layers)
        self.deep_norm = deep_norm
        new_norm = partial(NORMS[config.norm], config.d_model, config.norm_eps)
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        learned = config.position == "learned"
        self.position_embedding = (
            nn.Embedding(config.context_length, config.d_model) if learned else None
        )
        self.embedding_norm = new_norm() if wiring.embedding_norm else None
        self.relative_bias = self._new_relative_bias() if config.position == "t5" else None
        alpha = 1.0 if deep_norm is None else deep_norm.alpha
        self.blocks = nn.ModuleList(
            Block(config, attend, cross_attention, alpha) for _ in range(config.n_layers)
        )
        self.final_norm = None if after else new_norm()

    def default_mask(self, n_tokens: int, device: torch.device | None = None) -> Tensor | None:
        """Whom a token may attend to when no mask is given; None is everybody.

        Shapes:
            returns ``q k``, bool, True = may attend.
        """
        raise NotImplementedError

    def begin(
        self,
        tokens: Tensor,
        positions: Tensor | None = None,
        mask: Tensor | None = None,
        key_positions: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None, Rotate | None, Tensor | None]:
        """What the blocks start from: embedded tokens, mask, rotation and bias of the scores.

        Arguments and errors are those of ``Decoder.forward``; ``key_positions`` ``k`` or
        ``b k`` says where the keys stand, if there are more than those of the tokens; then no mask
        means that every key is seen.
        """
        if tokens.dtype not in (torch.int64, torch.int32):
            raise TypeError(f"tokens: expected int64 or int32 ids, got {tokens.dtype}.")
        sizes = check_shape(tokens, "b t", "tokens")
        if positions is None:
            positions = torch.arange(sizes["t"], device=tokens.device)
        check_shape(positions, "t" if positions.dim() == 1 else "b t", "positions", **sizes)
        if mask is None and key_positions is None:
            mask = self.default_mask(sizes["t"], tokens.device)
        x = self.embed(tokens, positions)
        return x, mask, self.rotation(positions), self.score_bias(positions, key_positions)

    def embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """The residual stream before the first block: token plus, where it is added, position."""
        x = _look_up(self.embedding, tokens, "tokens", "vocab_size")
        x = x * self.config.wiring.embedding_scale
        if self.position_embedding is not None:
            x = x + _look_up(self.position_embedding, positions, "positions", "context_length")
        if self.config.position == "sinusoidal":
            _check_range(positions, self.config.context_length, "positions", "context_length")
            x = x + sinusoidal_positions(positions, self.config.d_model).to(x.dtype)
        return x if self.embedding_norm is None else self.embedding_norm(x)

    def rotation(self, positions: Tensor) -> Rotate | None:
        """The rotary embedding at these positions, or None if the model has none.

        The angles are computed in fp32 at every call. As a buffer the frequencies would be rounded
        with the weights by ``model.to(torch.bfloat16)``, and 4,000 tokens on, an error of one part
        in 500 is a few radians.
        """
        if self.config.position != "rope":
            return None
        options = self.config.position_options
        frequencies = self.frequencies(positions.device)
        cosine, sine = rope_angles(positions, frequencies, options.rope_magnitude)
        pairing = options.rope_pairing
        cosine, sine = for_features(cosine, pairing), for_features(sine, pairing)
        return partial(turn_features, cosine=cosine, sine=sine, pairing=pairing)

    def frequencies(self, device: torch.device | str | None = None) -> Tensor:
        """The rotary embedding's radians a position: those of the config, or of its base.

        Shapes:
            returns ``d_head/2``, fp32.
        """
        options = self.config.position_options
        if options.rope_frequencies:
            return torch.tensor(options.rope_frequencies, dtype=torch.float32, device=device)
        return rope_frequencies(self.config.d_head, options.rope_base, device)

    def score_bias(self, positions: Tensor, key_positions: Tensor | None = None) -> Tensor | None:
        """The bias of ALiBi or T5 at these positions, or None; one for all layers.

        Shapes:
            positions ``q`` or ``b q``; key_positions ``k`` or ``b k``, the same positions if not
            given; returns ``b h q k``, with ``b = 1`` if all sequences share their positions.
        """
        if self.config.position not in ("alibi", "t5"):
            return None
        distance = distances(positions, positions if key_positions is None else key_positions)
        if self.config.position == "alibi":
            return alibi_bias(distance, alibi_slopes(self.config.n_heads, positions.device))
        options = self.config.position_options
        buckets = relative_buckets(
            distance, self.bidirectional, options.n_buckets, options.max_distance
        )
        return relative_bias(buckets, self.relative_bias.weight)

    def finish(self, x: Tensor) -> Tensor:
        """The stream after the last block, normalised unless the blocks do that themselves."""
        return x if self.final_norm is None else self.final_norm(x)

    @property
    def n_parameters(self) -> int:
        """Number of weights; a tied matrix counts once."""
        return sum(parameter.numel() for parameter in self.parameters())

    def _new_relative_bias(self) -> nn.Embedding:
        options = self.config.position_options
        check_buckets(self.bidirectional, options.n_buckets, options.max_distance)
        return nn.Embedding(options.n_buckets, self.config.n_heads)


def _look_up(table: nn.Embedding, ids: Tensor, name: str, limit: str) -> Tensor:
    """``table[ids]``, with an error that names the range."""
    try:
        return table(ids)
    except IndexError:
        _check_range(ids, table.num_embeddings, name, limit)
        raise


def _check_range(ids: Tensor, end: int, name: str, limit: str) -> None:
    """Refuse ids outside ``0 .. end - 1``; on the meta device there are none to look at."""
    if ids.is_meta or ids.numel() == 0:
        return
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or high >= end:
        raise ValueError(
            f"{name}: expected values from 0 to {limit} - 1 = {end - 1}, got {low} to {high}."
        )
