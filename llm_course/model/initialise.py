"""The initial weights of a stack of blocks, drawn from one generator.

Pre-norm models start as GPT-2 did. Post-norm models start as the first Transformer did, with
Xavier's deviation, which DeepNorm shrinks: their gradients depend on it.
"""

import torch
from torch import Tensor, nn

from llm_course.model.config import DecoderConfig
from llm_course.model.deep_norm import DeepNorm

_SHRUNK = ("value", "output", "gate", "up", "down")
"""The matrices that DeepNorm's beta multiplies: feed-forward, value and output."""


@torch.no_grad()
def initialise(
    model: nn.Module,
    config: DecoderConfig,
    generator: torch.Generator,
    deep_norm: DeepNorm | None = None,
) -> None:
    """Draw the initial weights: normal with mean 0, biases 0, norms 1.

    - Embeddings: deviation 0.02.
    - Blocks with pre-norm, sandwich or parallel: 0.02, as in GPT-2. The two matrices of each
      block that write into the residual stream are scaled by ``1 / sqrt(2 n_layers)``: a sum of
      ``2 n_layers`` such terms keeps its variance.
    - Blocks with post-norm: ``gain * sqrt(2 / (fan_in + fan_out))``, where the gain is 1, or
      DeepNorm's beta for feed-forward, value and output.

    The numbers are drawn on the generator's device, so a seed means the same weights on every
    device.

    Args:
        model: changed in place; weights on the meta device, which hold no numbers, are left.
        config: its placement and number of layers.
        generator: what the numbers are drawn from.
        deep_norm: the constants of the placement ``deep_norm``.

    Source:
        Radford et al. 2019, *Language Models are Unsupervised Multitask Learners*, section 2.3;
        Glorot and Bengio 2010, eq. 16; Wang et al. 2022, arXiv:2203.00555, figure 2.
    """
    for name, weight in model.named_parameters():
        if weight.is_meta:
            continue
        if name.endswith("bias"):
            weight.zero_()
        elif weight.dim() == 1:
            weight.fill_(1.0)
        else:
            drawn = torch.randn(weight.shape, generator=generator, device=generator.device)
            weight.copy_(drawn * _deviation(name, weight, config, deep_norm))


def _deviation(
    name: str, weight: Tensor, config: DecoderConfig, deep_norm: DeepNorm | None
) -> float:
    """The deviation of one matrix, by the name it has in the stack."""
    if not name.startswith("blocks."):
        return 0.02
    part = name.split(".")[-2]
    if config.wiring.placement in ("post", "deep_norm"):
        gain = deep_norm.beta if deep_norm is not None and part in _SHRUNK else 1.0
        return gain * (2 / sum(weight.shape)) ** 0.5
    writes_residual = part in ("output", "down")
    return 0.02 * (2 * config.n_layers) ** -0.5 if writes_residual else 0.02
