"""The causal decoder: token ids in, the logits of every next token out.

One class covers the GPT-2 and Llama families; ``DecoderConfig`` says which parts it is made of.
The names of its weights are the course's own vocabulary: ``embedding.weight``,
``blocks.0.attention.query.weight``, ..., ``final_norm.weight``, ``output.weight``.
"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_course.model.attention import Attend, Rotate, scaled_dot_product_attention
from llm_course.model.block import Block
from llm_course.model.config import DecoderConfig
from llm_course.model.masks import causal_mask
from llm_course.model.norms import NORMS
from llm_course.model.positions import rope_angles, rope_frequencies, turn
from llm_course.shapes import check_shape


class Decoder(nn.Module):
    """A decoder-only Transformer.

    Args:
        config: its sizes and choices.
        attend: what computes attention from the heads, for all layers; ``fused_attention`` for
            speed.
        generator: draws the initial weights; a generator seeded with 0 if not given, so that two
            models of one configuration are equal.

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
    ) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.position_embedding = (
            nn.Embedding(config.context_length, config.d_model)
            if config.position == "learned"
            else None
        )
        self.blocks = nn.ModuleList(Block(config, attend) for _ in range(config.n_layers))
        self.final_norm = NORMS[config.norm](config.d_model, config.norm_eps)
        # Tied: there is one matrix, stored once, under the embedding's name.
        self.output = (
            None
            if config.tie_embeddings
            else nn.Linear(config.d_model, config.vocab_size, bias=False)
        )
        initialise(self, generator or torch.Generator("cpu").manual_seed(0))

    def forward(
        self, tokens: Tensor, positions: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """The logits of the token that follows each position.

        Args:
            tokens: token ids.
            positions: the position of each token; 0, 1, 2, ... if not given.
            mask: bool, True = may attend. It **replaces** the causal mask: to add padding, pass
                ``causal_mask(t) & padding_mask(tokens, pad_id)``.

        Shapes:
            tokens ``b t``; positions ``t`` or ``b t``; mask broadcasts to ``b h t t``;
            returns ``b t v``.

        Raises:
            TypeError: the tokens are not integers, or the mask is not bool.
            ShapeError: the sizes do not fit.
            ValueError: a token or a position is out of range.
        """
        x, mask, rotate = self.begin(tokens, positions, mask)
        for block in self.blocks:
            x = block(x, mask, rotate)
        return self.unembed(x)

    def begin(
        self, tokens: Tensor, positions: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Rotate | None]:
        """What the blocks start from: the embedded tokens, the mask, and the rotation.

        Arguments and errors are those of ``forward``.
        """
        if tokens.dtype not in (torch.int64, torch.int32):
            raise TypeError(f"tokens: expected int64 or int32 ids, got {tokens.dtype}.")
        sizes = check_shape(tokens, "b t", "tokens")
        if positions is None:
            positions = torch.arange(sizes["t"], device=tokens.device)
        check_shape(positions, "t" if positions.dim() == 1 else "b t", "positions", **sizes)
        if mask is None:
            mask = causal_mask(sizes["t"], device=tokens.device)
        return self.embed(tokens, positions), mask, self.rotation(positions)

    def embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """The residual stream before the first block: token plus, if learned, position."""
        x = _look_up(self.embedding, tokens, "tokens", "vocab_size")
        if self.position_embedding is None:
            return x
        return x + _look_up(self.position_embedding, positions, "positions", "context_length")

    def rotation(self, positions: Tensor) -> Rotate | None:
        """The rotary embedding at these positions, or None if the model has none.

        The angles are computed in fp32 at every call. As a buffer the frequencies would be rounded
        with the weights by ``model.to(torch.bfloat16)``, and 4,000 tokens on, an error of one part
        in 500 is a few radians.
        """
        if self.config.position != "rope":
            return None
        frequencies = rope_frequencies(
            self.config.d_head, self.config.rope_base, device=positions.device
        )
        cosine, sine = rope_angles(positions, frequencies)
        return partial(turn, cosine=cosine, sine=sine, pairing=self.config.rope_pairing)

    def unembed(self, x: Tensor) -> Tensor:
        """Logits from the residual stream: the final norm, then the output matrix."""
        x = self.final_norm(x)
        return F.linear(x, self.embedding.weight) if self.output is None else self.output(x)

    @property
    def n_parameters(self) -> int:
        """Number of weights; a tied matrix counts once."""
        return sum(parameter.numel() for parameter in self.parameters())


@torch.no_grad()
def initialise(model: Decoder, generator: torch.Generator) -> None:
    """Draw the initial weights of GPT-2: ``N(0, 0.02)``, biases 0, norms 1.

    The two matrices of each block that write into the residual stream are scaled by
    ``1 / sqrt(2 n_layers)``: a sum of ``2 n_layers`` such terms keeps its variance. The numbers
    are drawn on the generator's device, so a seed means the same weights on every device.

    Args:
        model: changed in place; weights on the meta device, which hold no numbers, are left.
        generator: what the numbers are drawn from.

    Source:
        Radford et al. 2019, *Language Models are Unsupervised Multitask Learners*, section 2.3.
    """
    shrink = (2 * model.config.n_layers) ** -0.5
    for name, weight in model.named_parameters():
        if weight.is_meta:
            continue
        if name.endswith("bias"):
            weight.zero_()
        elif weight.dim() == 1:
            weight.fill_(1.0)
        else:
            writes_residual = name.endswith(("attention.output.weight", "feed_forward.down.weight"))
            deviation = 0.02 * (shrink if writes_residual else 1.0)
            drawn = torch.randn(weight.shape, generator=generator, device=generator.device)
            weight.copy_(drawn * deviation)


def _look_up(table: nn.Embedding, ids: Tensor, name: str, limit: str) -> Tensor:
    """``table[ids]``, with an error that names the range."""
    try:
        return table(ids)
    except IndexError as error:
        low, high = int(ids.min()), int(ids.max())
        raise ValueError(
            f"{name}: expected values from 0 to {limit} - 1 = {table.num_embeddings - 1}, "
            f"got {low} to {high}."
        ) from error
