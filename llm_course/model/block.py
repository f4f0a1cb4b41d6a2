"""One layer of the decoder: attention, then feed-forward, each added to the residual stream.

Pre-norm: each sub-layer reads a normalised copy, and the stream itself is never normalised inside
a block. Leaves out the other placements of the norm.
"""

from torch import Tensor, nn

from llm_course.model.attention import (
    Attend,
    Attention,
    Rotate,
    scaled_dot_product_attention,
)
from llm_course.model.config import DecoderConfig
from llm_course.model.feed_forward import FeedForward
from llm_course.model.norms import NORMS


class Block(nn.Module):
    """A pre-norm Transformer block.

    ``x = x + attention(norm(x))``, then ``x = x + feed_forward(norm(x))``

    Args:
        config: the sizes and choices of the decoder.
        attend: what computes attention from the heads.

    Shapes:
        x ``b t d_model``; mask broadcasts to ``b h t t``; returns ``b t d_model``.

    Source:
        Xiong et al. 2020, arXiv:2002.04745, table 1 (pre-LN).
    """

    def __init__(
        self, config: DecoderConfig, attend: Attend = scaled_dot_product_attention
    ) -> None:
        super().__init__()
        norm = NORMS[config.norm]
        self.attention_norm = norm(config.d_model, config.norm_eps)
        self.attention = Attention(
            config.d_model, config.n_heads, config.n_kv_heads, config.bias, attend
        )
        self.feed_forward_norm = norm(config.d_model, config.norm_eps)
        self.feed_forward = FeedForward(
            config.d_model, config.d_ff, config.feed_forward, config.bias
        )

    def forward(
        self, x: Tensor, mask: Tensor | None = None, rotate: Rotate | None = None
    ) -> Tensor:
        """Shapes: x ``b t d_model``; returns ``b t d_model``."""
        x = x + self.attention(self.attention_norm(x), mask, rotate)
        return x + self.feed_forward(self.feed_forward_norm(x))
