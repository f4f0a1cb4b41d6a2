"""The causal decoder: token ids in, the logits of every next token out.

One class covers the families of GPT-2, Llama, BLOOM, PaLM and Mistral; ``DecoderConfig`` says
which parts it is made of. With ``masks.prefix_mask`` it is a prefix decoder, with a memory the
second half of an encoder-decoder. The names of its weights are the course's own vocabulary:
``embedding.weight``, ``blocks.0.attention.query.weight``, ..., ``final_norm.weight``,
``output.weight``.
"""

from functools import partial

import torch
import torch.nn.functional as F
from einops import repeat
from torch import Tensor, nn

from llm_course.model.attention import Attend, Rotate, scaled_dot_product_attention
from llm_course.model.cache import CacheStep
from llm_course.model.config import DecoderConfig
from llm_course.model.deep_norm import DeepNorm
from llm_course.model.initialise import initialise
from llm_course.model.masks import causal_mask, position_mask, sliding_window_mask
from llm_course.model.stack import Stack


class Decoder(Stack):
    """A decoder-only Transformer, or with cross-attention the decoder after an encoder.

    Args:
        config: its sizes and choices.
        attend: what computes attention from the heads, for all layers; ``fused_attention`` for
            speed.
        generator: draws the initial weights; a generator seeded with 0 if not given, so that two
            models of one configuration are equal.
        cross_attention: whether its blocks attend to a memory as well.
        deep_norm: the constants of the placement ``deep_norm``; those of a decoder that stands
            alone if not given.

    Shapes:
        tokens ``b t``; returns logits ``b t v``.

    >>> config = DecoderConfig(
    ...     vocab_size=5, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=3
    ... )
    >>> model = Decoder(config)
    >>> model.n_parameters  # 5*4 embedding, 4*4*4 attention, 3*4*3 feed-forward, 3*4 norms
    132
    >>> model(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 3, 5])
    """

    def __init__(
        self,
        config: DecoderConfig,
        attend: Attend = scaled_dot_product_attention,
        generator: torch.Generator | None = None,
        cross_attention: bool = False,
        deep_norm: DeepNorm | None = None,
    ) -> None:
        super().__init__(config, attend, cross_attention, deep_norm)
        # Tied: there is one matrix, stored once, under the embedding's name.
        self.output = (
            None
            if config.tie_embeddings
            else nn.Linear(config.d_model, config.vocab_size, bias=False)
        )
        generator = generator or torch.Generator("cpu").manual_seed(0)
        initialise(self, config, generator, self.deep_norm)

    def forward(
        self,
        tokens: Tensor,
        positions: Tensor | None = None,
        mask: Tensor | None = None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        cache: CacheStep | None = None,
    ) -> Tensor:
        """The logits of the token that follows each position.

        Args:
            tokens: token ids.
            positions: the position of each token; 0, 1, 2, ... if not given.
            mask: bool, True = may attend. It **replaces** the causal mask: to add padding, pass
                ``model.default_mask(t) & padding_mask(tokens, pad_id)``.
            memory: what the encoder made of the source, for a decoder with cross-attention.
            memory_mask: bool, True = may attend: which of the memory is no padding.
            cache: keeps the keys and values of earlier calls; the tokens are then those that follow
                them, at the positions that it says, and a mask broadcasts to ``b h t k``.

        Shapes:
            tokens ``b t``; positions ``t`` or ``b t``; mask broadcasts to ``b h t t``; memory
            ``b k d_model``; memory_mask broadcasts to ``b h t k``; returns ``b t v``.

        Raises:
            TypeError: the tokens are not integers, or a mask is not bool.
            ShapeError: the sizes do not fit.
            ValueError: a token or a position is out of range, the memory is missing or unused, or
                positions are given beside a cache.
        """
        features = self.features(tokens, positions, mask, memory, memory_mask, cache)
        return F.linear(features, self.output_weight)

    def features(
        self,
        tokens: Tensor,
        positions: Tensor | None = None,
        mask: Tensor | None = None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        cache: CacheStep | None = None,
    ) -> Tensor:
        """What the output matrix reads: the stream after the last block and the final norm.

        A loss that never holds all the logits begins here. Arguments and errors are those of
        ``forward``.

        Shapes:
            tokens ``b t``; returns ``b t d_model``.
        """
        crossing = self.blocks[0].cross_attention is not None
        if (memory is not None) != crossing:
            expected, got = ("what an encoder made", "none") if crossing else ("none", "one")
            raise ValueError(
                f"memory: expected {expected}, got {got}. "
                f"Fix: Decoder(config, cross_attention={not crossing}), or call it as it was made."
            )
        if cache is None:
            x, mask, rotate, bias = self.begin(tokens, positions, mask)
        else:
            x, mask, rotate, bias = self.begin_cached(tokens, positions, mask, cache)
        for layer, block in enumerate(self.blocks):
            remember = None if cache is None else partial(cache.update, layer)
            x = block(x, mask, rotate, bias, memory, memory_mask, remember)
        return self.finish(x)

    def begin_cached(
        self, tokens: Tensor, positions: Tensor | None, mask: Tensor | None, cache: CacheStep
    ) -> tuple[Tensor, Tensor | None, Rotate | None, Tensor | None]:
        """What the blocks start from where earlier tokens are cached; otherwise as ``begin``."""
        if positions is not None:
            raise ValueError("positions: expected none beside a cache, which has its own.")
        key_positions = torch.arange(cache.n_keys, device=tokens.device)
        if cache.positions.dim() == 2:
            key_positions = repeat(key_positions, "k -> b k", b=len(cache.positions))
        window = self.config.wiring.window
        sees_all = cache.positions.shape == (1,) and (window is None or cache.n_keys <= window)
        if mask is None and not sees_all:
            mask = position_mask(cache.positions, key_positions, window)
        return self.begin(tokens, cache.positions, mask, key_positions)

    def default_mask(self, n_tokens: int, device: torch.device | None = None) -> Tensor:
        """The causal mask, or the sliding window if the config has one.

        Shapes:
            returns ``q k``, bool, True = may attend.
        """
        window = self.config.wiring.window
        if window is None:
            return causal_mask(n_tokens, device=device)
        return sliding_window_mask(n_tokens, window, device=device)

    @property
    def output_weight(self) -> Tensor:
        """The output matrix ``v d_model``: the embedding's, where the two are tied."""
        return self.embedding.weight if self.output is None else self.output.weight

    def finish(self, x: Tensor) -> Tensor:
        """The stream after the last block, normalised and scaled as the output matrix expects."""
        return super().finish(x) * self.config.wiring.output_scale

    def unembed(self, x: Tensor) -> Tensor:
        """Logits ``b t v`` from the residual stream: the final norm, then the output matrix."""
        return F.linear(self.finish(x), self.output_weight)
