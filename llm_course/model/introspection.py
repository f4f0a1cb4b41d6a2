"""Looking inside a model while it reads: its attention maps and its residual stream.

Nothing is hooked into the model or changed in it: the functions walk through the same blocks that
``forward`` walks through, and keep what passes by.
"""

import math

import torch
from torch import Tensor

from llm_course.model.attention import attention_weights
from llm_course.model.stack import Stack
from llm_course.shapes import check_shape


@torch.no_grad()
def attention_maps(
    model: Stack, tokens: Tensor, positions: Tensor | None = None, mask: Tensor | None = None
) -> list[Tensor]:
    """The attention weights of every layer and head, from the model's own queries and keys.

    They are recomputed by ``attention_weights``, so a model that runs a fused kernel, which never
    holds them, can be read as well. Arguments and errors are those of ``Decoder.forward``.

    Shapes:
        tokens ``b t``; returns one ``b h q k`` a layer; every row of a causal map sums to 1.

    >>> from llm_course.model.config import DecoderConfig
    >>> from llm_course.model.decoder import Decoder
    >>> config = DecoderConfig(
    ...     vocab_size=5, context_length=8, d_model=4, n_layers=2, n_heads=2, d_ff=3
    ... )
    >>> maps = attention_maps(Decoder(config), torch.tensor([[1, 2, 3]]))
    >>> len(maps), maps[0].shape, maps[0][0, 0, 0].tolist()  # the first token sees only itself
    (2, torch.Size([1, 2, 3, 3]), [1.0, 0.0, 0.0])
    """
    x, mask, rotate, bias = model.begin(tokens, positions, mask)
    maps = []
    for block in model.blocks:
        query, key, _ = block.attention.heads(block.attention_input(x), rotate)
        maps.append(attention_weights(query, key, mask, bias, block.attention.scale))
        x = block(x, mask, rotate, bias)
    return maps


@torch.no_grad()
def hidden_states(
    model: Stack, tokens: Tensor, positions: Tensor | None = None, mask: Tensor | None = None
) -> list[Tensor]:
    """The residual stream before the first block and after each; ``model.unembed`` reads any.

    Arguments and errors are those of ``Decoder.forward``.

    Shapes:
        tokens ``b t``; returns ``n_layers + 1`` tensors ``b t d_model``, none of them normalised.

    >>> from llm_course.model.config import DecoderConfig
    >>> from llm_course.model.decoder import Decoder
    >>> config = DecoderConfig(
    ...     vocab_size=5, context_length=8, d_model=4, n_layers=2, n_heads=2, d_ff=3
    ... )
    >>> model, tokens = Decoder(config), torch.tensor([[1, 2, 3]])
    >>> states = hidden_states(model, tokens)
    >>> len(states), torch.equal(model.unembed(states[-1]), model(tokens))
    (3, True)
    """
    x, mask, rotate, bias = model.begin(tokens, positions, mask)
    states = [x]
    for block in model.blocks:
        x = block(x, mask, rotate, bias)
        states.append(x)
    return states


def head_entropy(weights: Tensor) -> Tensor:
    """How spread out each head is: the mean entropy of its rows, ``-mean_i Σ_j w_ij log2 w_ij``.

    In bits: 0 if every query attends to one key, ``log2 n`` if it is even over n keys.

    Shapes:
        weights ``b h q k``, rows sum to 1; returns ``b h``.

    Raises:
        ShapeError: the weights have another number of axes.

    Source:
        Clark et al. 2019, arXiv:1906.04341, section 3.3.

    >>> head_entropy(torch.full((1, 1, 1, 8), 1 / 8)).item()
    3.0
    """
    check_shape(weights, "b h q k", "weights")
    bits = torch.special.entr(weights) / math.log(2)  # -w log2(w), and 0 where w is 0
    return bits.sum(dim=-1).mean(dim=-1)
