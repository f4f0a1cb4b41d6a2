"""Another order in memory, and the same model."""

import pytest
import torch

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.model.weight_layout import lay_out_by_columns

TOKENS = torch.randint(30, (2, 9), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("tie", [True, False])
@torch.no_grad()
def test_values_and_logits_stay_and_the_order_changes(tie):
    config = DecoderConfig(
        vocab_size=30, context_length=24, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24,
        tie_embeddings=tie,
    )  # fmt: skip
    plain, moved = Decoder(config).double(), Decoder(config).double()
    lay_out_by_columns(moved)
    for one, other in zip(plain.parameters(), moved.parameters(), strict=True):
        assert torch.equal(one, other)
    torch.testing.assert_close(moved(TOKENS), plain(TOKENS), atol=1e-12, rtol=0)
    feed_forward = moved.blocks[0].feed_forward
    assert feed_forward.up.weight.stride() == (1, 24), "more rows than columns"
    assert feed_forward.down.weight.stride() == (24, 1), "fewer"
    assert moved.output_weight.stride() == (1, 30)
    again = moved.output_weight.data_ptr()
    lay_out_by_columns(moved)
    assert moved.output_weight.data_ptr() == again, "a second time changes nothing"
