"""The weight on the first tokens, counted by a loop and for heads whose weight is known."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_course.long_context.attention_sinks import even_weight, sink_map, sink_weight
from llm_course.model.config import DecoderConfig
from llm_course.model.introspection import attention_maps
from llm_course.model.masks import causal_mask
from llm_course.shapes import ShapeError

CONFIG = DecoderConfig(
    vocab_size=30, context_length=16, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24
)
TOKENS = torch.randint(30, (3, 12), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("n_first", [1, 4])
def test_of_a_model_against_a_loop(make_lively, n_first):
    maps = attention_maps(make_lively(CONFIG), TOKENS)
    ours = sink_map(maps, n_first)
    assert ours.shape == (2, 4)
    for layer in range(2):
        for head in range(4):
            total, n = 0.0, 0
            for b in range(3):
                for q in range(n_first, 12):
                    total += sum(maps[layer][b, head, q, k].item() for k in range(n_first))
                    n += 1
            assert ours[layer, head].item() == pytest.approx(total / n, abs=1e-6)


@given(st.integers(2, 30), st.data())
def test_an_even_head_has_the_even_weight_and_a_sink_has_all(n_tokens, data):
    n_first = data.draw(st.integers(1, n_tokens - 1))
    seen = causal_mask(n_tokens).double()
    even = (seen / seen.sum(-1, keepdim=True))[None, None]
    assert sink_weight(even, n_first).item() == pytest.approx(even_weight(n_tokens, n_first))
    sink = torch.zeros(1, 1, n_tokens, n_tokens)
    sink[..., 0] = 1.0
    assert sink_weight(sink, n_first).item() == 1.0
    itself = torch.eye(n_tokens)[None, None]
    assert sink_weight(itself, n_first).item() == 0.0


def test_bad_input_is_refused():
    weights = torch.zeros(1, 1, 3, 3)
    for n_first in (0, 3):
        with pytest.raises(ValueError, match="n_first: expected 1 to 2, one fewer than"):
            sink_weight(weights, n_first)
        with pytest.raises(ValueError, match="n_first: expected 1 to 2, one fewer than"):
            even_weight(3, n_first)
    with pytest.raises(ShapeError, match="weights: expected k=3, got 4"):
        sink_weight(torch.zeros(1, 1, 3, 4))
    with pytest.raises(ValueError, match="maps: expected the weights of one layer or more"):
        sink_map([])
