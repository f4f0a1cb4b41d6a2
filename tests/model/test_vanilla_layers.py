"""The first Transformer's two layers against PyTorch's, with copied weights."""

import pytest
import torch
from torch import nn

from llm_course.model.masks import causal_mask, padding_mask, prefix_mask
from llm_course.model.vanilla_layers import decoder_layer, encoder_layer
from llm_course.shapes import ShapeError

D, F, HEADS = 12, 20, 3


def layer(kind, seed=0):
    """PyTorch's layer with random weights, and the same weights by our names."""
    theirs = kind(D, HEADS, F, dropout=0.0, activation="relu", batch_first=True).double().train()
    generator = torch.Generator().manual_seed(seed)
    for name, weight in theirs.named_parameters():
        nn.init.normal_(weight, std=0.4, generator=generator)
        if "in_proj_bias" in name or "out_proj.bias" in name:
            nn.init.zeros_(weight)

    def matrices(attention):
        parts = [*attention.in_proj_weight.chunk(3), attention.out_proj.weight]
        return torch.stack([part.T for part in parts]).detach()

    norms = [module for name, module in theirs.named_children() if name.startswith("norm")]
    weights = {
        "attention": matrices(theirs.self_attn),
        "w_1": theirs.linear1.weight.T.detach(),
        "b_1": theirs.linear1.bias.detach(),
        "w_2": theirs.linear2.weight.T.detach(),
        "b_2": theirs.linear2.bias.detach(),
        "gains": torch.stack([norm.weight for norm in norms]).detach(),
        "shifts": torch.stack([norm.bias for norm in norms]).detach(),
    }
    if kind is nn.TransformerDecoderLayer:
        weights["cross_attention"] = matrices(theirs.multihead_attn)
    return theirs, weights


def numbers(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("masked", [False, True])
def test_encoder_layer_equals_torch_with_copied_weights(masked):
    theirs, weights = layer(nn.TransformerEncoderLayer)
    x = numbers(2, 5, D)
    mask = causal_mask(5) if masked else None
    expected = theirs(x, src_mask=~mask if masked else None)
    torch.testing.assert_close(
        encoder_layer(x, weights, HEADS, mask), expected, atol=1e-10, rtol=1e-10
    )


@pytest.mark.parametrize("padded", [False, True])
def test_decoder_layer_equals_torch_with_copied_weights(padded):
    theirs, weights = layer(nn.TransformerDecoderLayer)
    x, memory = numbers(2, 5, D), numbers(2, 7, D, seed=2)
    tokens = torch.tensor([[1] * 7, [1] * 4 + [0] * 3])
    options = {"memory_key_padding_mask": tokens == 0} if padded else {}
    expected = theirs(x, memory, tgt_mask=~causal_mask(5), **options)
    mask = padding_mask(tokens, 0) if padded else None
    got = decoder_layer(x, memory, weights, HEADS, mask)
    torch.testing.assert_close(got, expected, atol=1e-10, rtol=1e-10)


def test_a_prefix_mask_lets_the_prefix_see_itself_and_nothing_later():
    _, weights = layer(nn.TransformerEncoderLayer)
    x = numbers(1, 5, D)
    later, inside = x.clone(), x.clone()
    later[:, 3] += 1
    inside[:, 1] += 1
    mask = prefix_mask(5, torch.tensor([2]))
    plain, moved, seen = (encoder_layer(t, weights, HEADS, mask) for t in (x, later, inside))
    assert torch.equal(plain[:, :3], moved[:, :3])
    assert (plain[:, 0] - seen[:, 0]).abs().max() > 1e-3


def test_a_norm_too_few_is_refused():
    _, weights = layer(nn.TransformerEncoderLayer)
    with pytest.raises(ShapeError, match="gains"):
        decoder_layer(numbers(1, 2, D), numbers(1, 2, D), weights, HEADS)
    with pytest.raises(ShapeError, match="x: expected"):
        encoder_layer(numbers(2, D), weights, HEADS)
