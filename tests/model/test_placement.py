"""Each formula with numbers that no other formula gives, and the placements of a block."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from llm_course.model.block import Block
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.placement import post_norm, pre_norm, sandwich_norm

X = torch.tensor([6.0])


def plus_one(x):
    return x + 1


def double(x):
    return 2 * x


def minus_three(x):
    return x - 3


def test_formulas_by_hand():
    assert pre_norm(X, double, plus_one).item() == 6 + 2 * (6 + 1)
    assert post_norm(X, double, plus_one).item() == (6 + 2 * 6) + 1
    assert post_norm(X, double, plus_one, alpha=10.0).item() == (10 * 6 + 2 * 6) + 1
    assert sandwich_norm(X, double, plus_one, minus_three).item() == 6 + (2 * (6 + 1) - 3)


CONFIG = DecoderConfig(
    vocab_size=9, context_length=8, d_model=8, n_layers=1, n_heads=2, d_ff=12, norm="layer_norm",
    bias=True, feed_forward="gelu",
)  # fmt: skip


def block_of(placement: str, **options) -> Block:
    block = Block(replace(CONFIG, wiring=Wiring(placement=placement)), **options).double()
    generator = torch.Generator().manual_seed(0)
    for weight in block.parameters():
        nn.init.normal_(weight, std=0.4, generator=generator)
    return block


def formula(block: Block, placement: str, x, memory, alpha):
    """The whole block written out, once for each placement."""
    a, c, f = block.attention, block.cross_attention, block.feed_forward
    na, nf = block.attention_norm, getattr(block, "feed_forward_norm", None)
    nc = getattr(block, "cross_attention_norm", None)
    if placement == "parallel":
        return x + a(na(x)) + f(na(x))
    if placement == "pre":
        x = x + a(na(x))
        x = x if c is None else x + c(nc(x), memory=memory)
        return x + f(nf(x))
    if placement == "sandwich":
        x = x + block.attention_norm_after(a(na(x)))
        x = x if c is None else x + block.cross_attention_norm_after(c(nc(x), memory=memory))
        return x + block.feed_forward_norm_after(f(nf(x)))
    x = na(alpha * x + a(x))
    x = x if c is None else nc(alpha * x + c(x, memory=memory))
    return nf(alpha * x + f(x))


@pytest.mark.parametrize("crossing", [False, True])
@pytest.mark.parametrize("placement", ["pre", "post", "sandwich", "deep_norm", "parallel"])
def test_block_is_its_formula_written_out(placement, crossing):
    if placement == "parallel" and crossing:
        with pytest.raises(ValueError, match="expected another than parallel"):
            block_of(placement, cross_attention=True)
        return
    alpha = 3.0 if placement == "deep_norm" else 1.0
    block = block_of(placement, cross_attention=crossing, alpha=alpha)
    x, memory = (
        torch.randn(2, t, 8, generator=torch.Generator().manual_seed(t)).double() for t in (5, 7)
    )
    ours = block(x, memory=memory if crossing else None)
    torch.testing.assert_close(
        ours, formula(block, placement, x, memory, alpha), atol=1e-12, rtol=0
    )


@pytest.mark.parametrize(
    ("placement", "extra"),
    [
        ("pre", set()),
        ("post", set()),
        ("deep_norm", set()),
        ("sandwich", {"attention_norm_after", "feed_forward_norm_after"}),
    ],
)
def test_norms_of_each_placement(placement, extra):
    names = {name.split(".")[0] for name in block_of(placement).state_dict() if "norm" in name}
    assert names == {"attention_norm", "feed_forward_norm"} | extra


def test_a_parallel_block_has_one_norm():
    names = {name.split(".")[0] for name in block_of("parallel").state_dict() if "norm" in name}
    assert names == {"attention_norm"}
