"""The encoder-decoder: one stack reads a source, another writes a target and looks at the source.

The first Transformer, T5 and BART are this, with other parts: the configs say which.
"""

import torch
from torch import Tensor, nn

from llm_course.model.attention import Attend, scaled_dot_product_attention
from llm_course.model.config import EncoderDecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.model.deep_norm import deep_norm_decoder, deep_norm_encoder
from llm_course.model.encoder import Encoder
from llm_course.shapes import check_shape


class EncoderDecoder(nn.Module):
    """An encoder, and a decoder with cross-attention.

    Args:
        config: the sizes and choices of both.
        attend: what computes attention from the heads, for all layers.
        generator: draws the initial weights; a generator seeded with 0 if not given.

    Shapes:
        source ``b k``; target ``b t``; returns logits ``b t v``.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, figure 1.

    >>> from llm_course.model.config import DecoderConfig
    >>> stack = DecoderConfig(
    ...     vocab_size=5, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=3
    ... )
    >>> model = EncoderDecoder(EncoderDecoderConfig(encoder=stack, decoder=stack))
    >>> model.n_parameters  # two decoders of 132, less 5*4 shared, and 4*4*4 + 4 of cross-attention
    312
    >>> model(torch.tensor([[1, 2, 3]]), torch.tensor([[4, 0]])).shape
    torch.Size([1, 2, 5])
    """

    def __init__(
        self,
        config: EncoderDecoderConfig,
        attend: Attend = scaled_dot_product_attention,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        generator = generator or torch.Generator("cpu").manual_seed(0)
        n_encoder, n_decoder = config.encoder.n_layers, config.decoder.n_layers
        before = after = None
        if config.encoder.wiring.placement == "deep_norm":
            before = deep_norm_encoder(n_encoder, n_decoder)
        if config.decoder.wiring.placement == "deep_norm":
            after = deep_norm_decoder(n_decoder)
        self.encoder = Encoder(config.encoder, attend, generator, before)
        self.decoder = Decoder(config.decoder, attend, generator, True, after)
        if config.share_embeddings:
            # One matrix, which the state dict lists under both names.
            self.decoder.embedding = self.encoder.embedding

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        source_mask: Tensor | None = None,
        target_mask: Tensor | None = None,
    ) -> Tensor:
        """The logits of the token that follows each position of the target.

        Args:
            source: token ids that the encoder reads.
            target: token ids that the decoder has written so far.
            source_mask: bool, True = may be attended to: ``padding_mask(source, pad_id)``.
            target_mask: bool, True = may attend. It **replaces** the decoder's own mask.

        Shapes:
            source ``b k``; target ``b t``; source_mask ``b 1 1 k``; target_mask broadcasts to
            ``b h t t``; returns ``b t v``.

        Raises:
            as ``Decoder.forward``; ShapeError: the source_mask is not ``b 1 1 k``.
        """
        memory = self.encode(source, source_mask)
        return self.decoder(target, None, target_mask, memory, source_mask)

    def encode(self, source: Tensor, source_mask: Tensor | None = None) -> Tensor:
        """What the decoder attends to; made once, however long the target becomes.

        Shapes:
            source ``b k``; source_mask ``b 1 1 k``; returns ``b k d_model``.
        """
        if source_mask is not None:
            # One row for all queries: the queries of cross-attention are another text's.
            b, k = source.shape
            check_shape(source_mask, "b h q k", "source_mask", b=b, h=1, q=1, k=k)
        return self.encoder(source, mask=source_mask)

    @property
    def n_parameters(self) -> int:
        """Number of weights; a shared matrix counts once."""
        return sum(parameter.numel() for parameter in self.parameters())
