"""The encoder: token ids in, one vector for each token out, made with a view of the whole text.

Its blocks are the decoder's. Without the causal mask a token may attend to those after it.
"""

import torch
from torch import Tensor

from llm_course.model.attention import Attend, scaled_dot_product_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.deep_norm import DeepNorm
from llm_course.model.initialise import initialise
from llm_course.model.stack import Stack


class Encoder(Stack):
    """An encoder-only Transformer without an output layer, or the first half of two.

    Args:
        config: its sizes and choices; ``tie_embeddings`` has no meaning here.
        attend: what computes attention from the heads, for all layers.
        generator: draws the initial weights; a generator seeded with 0 if not given.
        deep_norm: the constants of the placement ``deep_norm``; those of an encoder that stands
            alone if not given.

    Raises:
        ValueError: the config has a sliding window, which looks back only.

    Shapes:
        tokens ``b t``; returns ``b t d_model``.

    >>> config = DecoderConfig(
    ...     vocab_size=5, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=3
    ... )
    >>> encoder = Encoder(config)
    >>> encoder(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 3, 4])
    """

    bidirectional = True

    def __init__(
        self,
        config: DecoderConfig,
        attend: Attend = scaled_dot_product_attention,
        generator: torch.Generator | None = None,
        deep_norm: DeepNorm | None = None,
    ) -> None:
        if config.wiring.window is not None:
            raise ValueError(
                f"window: expected None in an encoder, got {config.wiring.window}. "
                "Fix: leave it out, and pass a mask"
            )
        super().__init__(config, attend, deep_norm=deep_norm)
        generator = generator or torch.Generator("cpu").manual_seed(0)
        initialise(self, config, generator, self.deep_norm)

    def forward(
        self, tokens: Tensor, positions: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """The vector of each token.

        Args:
            tokens: token ids.
            positions: the position of each token; 0, 1, 2, ... if not given.
            mask: bool, True = may attend, such as ``padding_mask(tokens, pad_id)``; every token
                sees every other if not given.

        Shapes:
            tokens ``b t``; positions ``t`` or ``b t``; mask broadcasts to ``b h t t``;
            returns ``b t d_model``.

        Raises:
            TypeError: the tokens are not integers, or the mask is not bool.
            ShapeError: the sizes do not fit.
            ValueError: a token or a position is out of range.
        """
        x, mask, rotate, bias = self.begin(tokens, positions, mask)
        for block in self.blocks:
            x = block(x, mask, rotate, bias)
        return self.finish(x)

    def default_mask(self, n_tokens: int, device: torch.device | None = None) -> None:
        """None: every token may attend to every other."""
        return
