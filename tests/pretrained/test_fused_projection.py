"""Three matrices as one and back, however they lie in it."""

import torch
from einops import rearrange

from llm_course.pretrained.fused_projection import cut_fused, join_fused

WEIGHTS = {
    f"blocks.0.attention.{part}.{kind}": torch.randn(
        shape, generator=torch.Generator().manual_seed(i)
    )
    for i, part in enumerate(("query", "key", "value", "output"))
    for kind, shape in (("weight", (6, 6)), ("bias", (6,)))
} | {"embedding.weight": torch.ones(3, 6)}


def head_by_head(three):
    return rearrange(list(three), "three (h d) ... -> (h three d) ...", h=2)


def test_there_and_back_is_the_same() -> None:
    for join, cut in (
        (torch.cat, lambda x: x.chunk(3)),
        (head_by_head, lambda x: rearrange(x, "(h three d) ... -> three (h d) ...", h=2, three=3)),
    ):
        one = join_fused(WEIGHTS, join)
        assert set(one) == {
            "blocks.0.attention.query_key_value.weight", "blocks.0.attention.query_key_value.bias",
            "blocks.0.attention.output.weight", "blocks.0.attention.output.bias",
            "embedding.weight",
        }  # fmt: skip
        again = cut_fused(one, cut)
        assert again.keys() == WEIGHTS.keys()
        assert all(torch.equal(again[name], weight) for name, weight in WEIGHTS.items())


def test_the_order_is_query_key_value() -> None:
    one = join_fused(WEIGHTS, torch.cat)["blocks.0.attention.query_key_value.weight"]
    for i, part in enumerate(("query", "key", "value")):
        expected = WEIGHTS[f"blocks.0.attention.{part}.weight"]
        assert torch.equal(one[6 * i : 6 * i + 6], expected)


def test_the_pieces_share_no_memory() -> None:
    pieces = cut_fused({"a.query_key_value.weight": torch.zeros(6, 2)}, lambda x: x.chunk(3))
    assert len({piece.untyped_storage().data_ptr() for piece in pieces.values()}) == 3
