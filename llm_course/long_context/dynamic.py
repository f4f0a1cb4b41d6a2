"""Dynamic NTK scaling: every text is read with the frequencies that its own length needs.

A text within the trained length is read exactly as before. Keys that a cache holds keep the
rotation of the length at which they were computed, here as in Transformers; reading a whole text
at once has no such trouble.
"""

from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor, nn

from llm_course.long_context.rope_scaling import RopeScaling, check_rotary, stretched
from llm_course.model.cache import CacheStep
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder


class DynamicNTK(nn.Module):
    """A decoder inside a wrapper that stretches it anew at every call; it can be decoded as well.

    Args:
        model: a decoder with RoPE; its weights are shared.
        scaling: of the kind ``dynamic``.

    Shapes:
        tokens ``b t``; returns logits ``b t v``.

    Raises:
        ValueError: the model has no rotary positions, or the scaling is of another kind.

    Source:
        Peng et al. 2023, arXiv:2309.00071, section 3.3.

    >>> import torch
    >>> model = Decoder(DecoderConfig(
    ...     vocab_size=5, context_length=4, d_model=8, n_layers=1, n_heads=2, d_ff=3
    ... ))
    >>> dynamic = DynamicNTK(model, RopeScaling(kind="dynamic", factor=2.0, original=4))
    >>> text = torch.tensor([[1, 2, 3]])
    >>> torch.equal(dynamic(text), model(text)), dynamic.config.context_length
    (True, 8)
    """

    def __init__(self, model: Decoder, scaling: RopeScaling) -> None:
        super().__init__()
        check_rotary(model.config)
        if scaling.kind != "dynamic":
            raise ValueError(f"scaling: expected the kind dynamic, got {scaling.kind}.")
        self.model, self.scaling = model, scaling

    @property
    def config(self) -> DecoderConfig:
        """The model's config, with the length that it now reads."""
        return replace(self.model.config, context_length=self.scaling.target)

    @property
    def output_weight(self) -> Tensor:
        """The output matrix ``v d_model``."""
        return self.model.output_weight

    def features(
        self,
        tokens: Tensor,
        positions: Tensor | None = None,
        mask: Tensor | None = None,
        cache: CacheStep | None = None,
    ) -> Tensor:
        """What the output matrix reads; arguments and errors are those of ``Decoder.features``."""
        if cache is not None:
            n_tokens = cache.n_keys
        else:
            n_tokens = tokens.shape[-1] if positions is None else int(positions.max()) + 1
        longer = stretched(self.model, self.scaling, n_tokens)
        return longer.features(tokens, positions, mask, cache=cache)

    def forward(
        self,
        tokens: Tensor,
        positions: Tensor | None = None,
        mask: Tensor | None = None,
        cache: CacheStep | None = None,
    ) -> Tensor:
        """Shapes: tokens ``b t``; returns ``b t v``."""
        return F.linear(self.features(tokens, positions, mask, cache), self.output_weight)
