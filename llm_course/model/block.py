"""One layer of a Transformer: attention, then feed-forward, each added to the residual stream.

Encoder, decoder and prefix decoder have the same block; they differ in the mask that it is given.
The decoder of an encoder-decoder has a third sub-layer between the two, cross-attention. Where
the norms stand is a choice (``placement.py``).
"""

from functools import partial

from torch import Tensor, nn

from llm_course.model.attention import (
    Attend,
    Attention,
    Rotate,
    scaled_dot_product_attention,
)
from llm_course.model.cache import Remember
from llm_course.model.config import DecoderConfig
from llm_course.model.feed_forward import FeedForward
from llm_course.model.norms import NORMS
from llm_course.model.placement import Layer, post_norm, pre_norm, sandwich_norm


class Block(nn.Module):
    """A Transformer block.

    With pre-norm: ``x = x + attention(norm(x))``, then ``x = x + feed_forward(norm(x))``.

    Args:
        config: the sizes and choices of the stack.
        attend: what computes attention from the heads.
        cross_attention: whether it also attends to a memory, the output of an encoder.
        alpha: what post-norm multiplies the stream by (``deep_norm.py``).

    Shapes:
        x ``b t d_model``; memory ``b k d_model``; mask and bias broadcast to ``b h t t``,
        memory_mask to ``b h t k``; returns ``b t d_model``. With ``remember`` mask and bias
        broadcast to ``b h t k``, where ``k`` are the keys that it returns.

    Raises:
        ValueError: a parallel block is asked for cross-attention, which none has had.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.1; parallel: Chowdhery et al. 2022,
        arXiv:2204.02311, section 2.
    """

    def __init__(
        self,
        config: DecoderConfig,
        attend: Attend = scaled_dot_product_attention,
        cross_attention: bool = False,
        alpha: float = 1.0,
    ) -> None:
        super().__init__()
        if cross_attention and config.wiring.placement == "parallel":
            raise ValueError("placement: expected another than parallel with cross-attention.")
        self.placement, self.alpha = config.wiring.placement, alpha
        new_norm = partial(NORMS[config.norm], config.d_model, config.norm_eps)
        new_attention = partial(
            Attention, config.d_model, config.n_heads, config.n_kv_heads, config.bias, attend,
            scale=None if config.wiring.scale_scores else 1.0,
        )  # fmt: skip
        self.attention_norm = new_norm()
        self.attention = new_attention()
        self.cross_attention = None
        if cross_attention:
            self.cross_attention_norm, self.cross_attention = new_norm(), new_attention()
        if self.placement != "parallel":
            self.feed_forward_norm = new_norm()
        self.feed_forward = FeedForward(
            config.d_model, config.d_ff, config.feed_forward, config.bias
        )
        if self.placement == "sandwich":
            for name in ("attention", "cross_attention", "feed_forward"):
                if getattr(self, name) is not None:
                    setattr(self, f"{name}_norm_after", new_norm())

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        rotate: Rotate | None = None,
        bias: Tensor | None = None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        remember: Remember | None = None,
    ) -> Tensor:
        """Shapes: x ``b t d_model``; returns ``b t d_model``."""

        def attention(x: Tensor) -> Tensor:
            return self.attention(x, mask, rotate, bias=bias, remember=remember)

        if self.placement == "parallel":
            normed = self.attention_norm(x)
            return x + attention(normed) + self.feed_forward(normed)
        x = self._add("attention", x, attention)
        if self.cross_attention is not None:
            read = partial(self.cross_attention, mask=memory_mask, memory=memory)
            x = self._add("cross_attention", x, read)
        return self._add("feed_forward", x, self.feed_forward)

    def attention_input(self, x: Tensor) -> Tensor:
        """What the attention of this block reads of the stream."""
        return x if self.placement in ("post", "deep_norm") else self.attention_norm(x)

    def _add(self, name: str, x: Tensor, layer: Layer) -> Tensor:
        """The stream with a sub-layer added, its norm where the placement says."""
        norm = getattr(self, f"{name}_norm")
        if self.placement in ("post", "deep_norm"):
            return post_norm(x, layer, norm, self.alpha)
        if self.placement == "sandwich":
            return sandwich_norm(x, layer, norm, getattr(self, f"{name}_norm_after"))
        return pre_norm(x, layer, norm)
