"""Streaming equals the masked full computation, token by token, for every Λ and every length."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.long_context.lambda_attention import lambda_model
from llm_course.long_context.rolling_cache import (
    RollingCache,
    cache_place,
    held_tokens,
    kept_tokens,
)
from llm_course.long_context.streaming import rolling_cache
from llm_course.model.config import DecoderConfig
from llm_course.shapes import ShapeError

CONFIG = DecoderConfig(
    vocab_size=30, context_length=16, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24
)
TOKENS = torch.randint(30, (2, 70), generator=torch.Generator().manual_seed(0))


@st.composite
def streams(draw):
    window = draw(st.integers(1, 10))
    n_sinks = draw(st.integers(0, window))
    parts = draw(st.lists(st.integers(1, 14), min_size=1, max_size=5))
    return n_sinks, window, parts


@given(streams())
@settings(deadline=None, max_examples=60)
@torch.no_grad()
def test_streaming_in_any_parts_equals_the_full_masked_computation(make_lively, stream):
    n_sinks, window, parts = stream
    text = TOKENS[:, : sum(parts)]
    model = lambda_model(make_lively(CONFIG).double(), n_sinks, window)
    cache = rolling_cache(model, 2, n_sinks, window)
    pieces = [model(part, cache=cache.extend(part.shape[1])) for part in text.split(parts, 1)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), model(text), atol=1e-10, rtol=0)


@pytest.mark.parametrize(("n_sinks", "window"), [(4, 8), (0, 5), (1, 1), (3, 3), (4, 60)])
@torch.no_grad()
def test_streaming_token_by_token_equals_the_full_masked_computation(make_lively, n_sinks, window):
    model = lambda_model(make_lively(CONFIG).double(), n_sinks, window)
    cache, full = rolling_cache(model, 2, n_sinks, window), model(TOKENS)
    for t in range(60):
        step = model(TOKENS[:, t : t + 1], cache=cache.extend(1))
        torch.testing.assert_close(step, full[:, t : t + 1], atol=1e-10, rtol=0)


@given(n_seen=st.integers(0, 40), window=st.integers(1, 9), data=st.data())
def test_kept_tokens_against_a_list_that_drops_the_oldest(n_seen, window, data):
    n_sinks = data.draw(st.integers(0, window))
    kept: list[int] = []
    memory: dict[int, int] = {}
    for token in range(n_seen):
        kept.append(token)
        if len(kept) > n_sinks + window:
            del kept[n_sinks]
        memory[cache_place(token, n_sinks, window)] = token
    assert kept_tokens(n_seen, n_sinks, window).tolist() == kept
    assert sorted(memory.values()) == kept, "the ring overwrites what is dropped, nothing else"
    assert all(0 <= place < n_sinks + window for place in memory)
    assert held_tokens(n_seen, n_sinks, window) == [
        memory.get(place) for place in range(n_sinks + window)
    ]


@torch.no_grad()
def test_memory_is_constant(make_lively):
    model = lambda_model(make_lively(CONFIG), 2, 6)
    cache = rolling_cache(model, 1, 2, 6)
    assert cache.n_bytes == 2 * 2 * (2 * 8 * 4) * 4  # k and v, layers, heads * places * d, fp32
    before = [kept.data_ptr() for kept in (*cache.keys, *cache.values)]
    shapes = set()
    for t in range(100):
        step = cache.extend(1)
        model(TOKENS[:1, t % 60][None], cache=step)
        shapes.add(step.n_keys)
    assert [kept.data_ptr() for kept in (*cache.keys, *cache.values)] == before
    assert cache.n_bytes == 512 * 2 and cache.n_seen == 100
    assert max(shapes) == 8


@torch.no_grad()
def test_what_lies_between_sinks_and_window_is_forgotten(make_lively):
    """One layer: deeper ones would hand on what an earlier token saw."""
    config = DecoderConfig(
        vocab_size=30, context_length=16, d_model=16, n_layers=1, n_heads=2, d_ff=8
    )
    model = lambda_model(make_lively(config).double(), 2, 4)
    other = TOKENS[:1].clone()
    other[0, 10] = (other[0, 10] + 1) % 30
    ours, changed = model(TOKENS[:1]), model(other)
    differs = (ours - changed).abs().amax(dim=-1)[0] > 1e-9
    assert differs.nonzero().flatten().tolist() == [10, 11, 12, 13]
    sink = TOKENS[:1].clone()
    sink[0, 1] = (sink[0, 1] + 1) % 30
    differs = (ours - model(sink)).abs().amax(dim=-1)[0] > 1e-12
    assert differs[1:].all() and not differs[0]


def test_bad_input_is_refused():
    def make(**change):
        sizes = {"n_rows": 1, "n_sinks": 1, "window": 4} | change
        return RollingCache(sizes.pop("n_layers", 1), 1, 4, **sizes)

    with pytest.raises(ValueError, match="n_sinks: expected at most window=4, got 5."):
        make(n_sinks=5)
    with pytest.raises(ValueError, match="window: expected 1 or more, got 0."):
        make(window=0)
    with pytest.raises(ValueError, match="n_rows: expected at least 1, got 0."):
        make(n_rows=0)
    with pytest.raises(ValueError, match="n_layers: expected at least 1, got 0."):
        make(n_layers=0)
    with pytest.raises(ValueError, match="n_tokens: expected 1 or more, got 0."):
        make().extend(0)
    with pytest.raises(ValueError, match="n_seen: expected 0 or more, got -1."):
        kept_tokens(-1, 1, 4)
    with pytest.raises(ValueError, match="token: expected 0 or more, got -1."):
        cache_place(-1, 1, 4)
    with pytest.raises(ValueError, match="n_sinks: expected at most window=4, got 5."):
        cache_place(3, 5, 4)
    with pytest.raises(ShapeError, match="key: expected t=2, got 1"):
        make().extend(2).update(0, torch.zeros(1, 1, 1, 4), torch.zeros(1, 1, 2, 4))
