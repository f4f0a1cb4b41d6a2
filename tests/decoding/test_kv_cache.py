"""With the cache every decoder gives the logits of the full sequence, however it is cut."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.decoding.kv_cache import KVCache, cache_update
from llm_course.decoding.language_model import new_cache
from llm_course.model.attention import fused_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.decoder import Decoder
from llm_course.shapes import ShapeError

CONFIG = DecoderConfig(
    vocab_size=30, context_length=24, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24
)
VARIANTS = {
    **{
        position: replace(CONFIG, position=position)
        for position in ("rope", "learned", "sinusoidal", "t5", "alibi", "none")
    },
    **{
        placement: replace(CONFIG, wiring=Wiring(placement=placement))
        for placement in ("post", "sandwich", "deep_norm", "parallel")
    },
    "window": replace(CONFIG, wiring=Wiring(window=3)),
    "window, alibi": replace(CONFIG, position="alibi", wiring=Wiring(window=3)),
    "unscaled": replace(CONFIG, wiring=Wiring(scale_scores=False)),
}
TOKENS = torch.randint(30, (3, 13), generator=torch.Generator().manual_seed(0))


def cache_for(model: Decoder, n_rows: int = 3, n_places: int = 24) -> KVCache:
    return new_cache(model, n_rows, n_places)


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS)
def model(request, make_lively) -> Decoder:
    return make_lively(request.param).double()


@pytest.mark.parametrize("parts", [[13], [1] * 13, [5, 1, 1, 4, 2]])
@torch.no_grad()
def test_logits_equal_the_full_forward(model, parts):
    cache = cache_for(model)
    pieces = [model(part, cache=cache.extend(part.shape[1])) for part in TOKENS.split(parts, 1)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), model(TOKENS), atol=1e-11, rtol=0)


@torch.no_grad()
def test_rows_of_different_lengths_equal_each_text_alone(model):
    lengths, cache = [4, 9, 1], cache_for(model)
    padded = TOKENS[:, :9].clone()
    for row, length in enumerate(lengths):
        padded[row, length:] = 29  # whatever stands there must not matter
    first = model(padded, cache=cache.extend(9, lengths))
    second = model(TOKENS[:, 9:11], cache=cache.extend(2))
    third = model(TOKENS[:, 11:12], cache=cache.extend(1))
    assert cache.lengths == [7, 12, 4]
    for row, length in enumerate(lengths):
        text = torch.cat([TOKENS[row, :length], TOKENS[row, 9:12]])[None]
        got = torch.cat([first[row, :length], second[row], third[row]])
        torch.testing.assert_close(got, model(text)[0], atol=1e-11, rtol=0)


@torch.no_grad()
def test_forgotten_tokens_leave_no_trace(model):
    cache = cache_for(model)
    model(TOKENS[:, :6], cache=cache.extend(6))
    model(TOKENS[:, 6:10].flip(1), cache=cache.extend(4))  # a draft that is wrong
    cache.truncate([6, 6, 6])
    rest = model(TOKENS[:, 6:], cache=cache.extend(7))
    torch.testing.assert_close(rest, model(TOKENS)[:, 6:], atol=1e-11, rtol=0)


@torch.no_grad()
def test_rows_are_selected_repeated_and_dropped(model):
    cache = cache_for(model)
    model(TOKENS[:, :6], cache=cache.extend(6))
    for rows in ([2, 0, 0], [1, 2]):
        cache.select(rows)
    new = TOKENS[:2, 6:8]
    got = model(new, cache=cache.extend(2))
    texts = torch.cat([TOKENS[[0, 0], :6], new], dim=1)  # row 1 of (2, 0, 0), then row 2 of it
    torch.testing.assert_close(got, model(texts)[:, 6:], atol=1e-11, rtol=0)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
@torch.no_grad()
def test_any_cut_of_ragged_rows_equals_the_full_forward(cuts):
    model = Decoder(CONFIG, generator=torch.Generator().manual_seed(3)).double()
    texts = torch.randint(30, (2, 20), generator=torch.Generator().manual_seed(1))
    cache, done, got = cache_for(model, n_rows=2), [0, 0], ([], [])
    for counts in cuts:
        width = max(*counts, 1)
        tokens = torch.zeros(2, width, dtype=torch.int64)
        for row, n in enumerate(counts):
            tokens[row, :n] = texts[row, done[row] : done[row] + n]
        logits = model(tokens, cache=cache.extend(width, counts))
        for row, n in enumerate(counts):
            got[row].append(logits[row, :n])
            done[row] += n
    for row, n in enumerate(done):
        expected = model(texts[row : row + 1])[0, :n]
        torch.testing.assert_close(torch.cat(got[row]), expected, atol=1e-11, rtol=0)


@torch.no_grad()
def test_fused_attention_reads_the_cache_as_well():
    model = Decoder(CONFIG, attend=fused_attention).double()
    cache = cache_for(model)
    pieces = [model(part, cache=cache.extend(part.shape[1])) for part in TOKENS.split([5, 8], 1)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), model(TOKENS), atol=1e-11, rtol=0)


@torch.no_grad()
def test_a_mask_of_ones_own_replaces_the_causal_one():
    model, cache = Decoder(CONFIG).double(), cache_for(Decoder(CONFIG).double())
    model(TOKENS[:, :5], cache=cache.extend(5))
    mask = torch.ones(1, 6, dtype=torch.bool)
    mask[:, 2] = False
    hidden = model(TOKENS[:, 5:6], mask=mask, cache=cache.extend(1))
    cache.truncate([5, 5, 5])
    seen = model(TOKENS[:, 5:6], cache=cache.extend(1))
    assert (hidden - seen).abs().max() > 1e-6


def test_the_memory_is_what_the_formula_says():
    cache = KVCache(30, 3, 64, n_rows=2, n_places=100, dtype=torch.bfloat16)
    assert cache.n_bytes == 2 * 30 * 3 * 64 * 2 * 100 * 2  # K and V, layers, heads, ..., bytes


def test_what_does_not_fit_is_refused():
    model = Decoder(CONFIG)
    cache = cache_for(model, n_places=6)
    with pytest.raises(ValueError, match="n_tokens: expected 1 to 6, the room .* got 7. Fix: make"):
        cache.extend(7)
    with pytest.raises(ValueError, match="counts: expected 3 numbers from 0 to n_tokens=2, got"):
        cache.extend(2, [3, 1, 1])
    with pytest.raises(ValueError, match=r"lengths: expected at most \[0, 0, 0\]"):
        cache.truncate([1, 0, 0])
    with pytest.raises(ShapeError, match="key: expected t=2, got 1"):
        cache.extend(2).update(0, torch.zeros(3, 2, 1, 4), torch.zeros(3, 2, 1, 4))
    with pytest.raises(ValueError, match="positions: expected none beside a cache"):
        model(TOKENS[:, :1], torch.tensor([3]), cache=cache.extend(1))
    with pytest.raises(ValueError, match="n_rows: expected at least 1, got 0"):
        KVCache(1, 1, 1, n_rows=0, n_places=1)


def test_a_refused_extension_changes_nothing():
    cache = cache_for(Decoder(CONFIG), n_places=6)
    cache.extend(4)
    with pytest.raises(ValueError, match="n_tokens"):
        cache.extend(3)
    assert cache.lengths == [4, 4, 4]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=4), st.integers(1, 4), st.randoms())
def test_an_update_goes_behind_each_row(lengths, n_new, chance):
    """Against rows that are written one by one, with ``index_copy``."""
    rng = torch.Generator().manual_seed(chance.randrange(1000))
    kept = torch.randn(len(lengths), 2, 10, 3, generator=rng)
    new = torch.randn(len(lengths), 2, n_new, 3, generator=rng)
    rows = [
        row.index_copy(1, torch.arange(length, length + n_new), tokens)
        for row, tokens, length in zip(kept, new, lengths, strict=True)
    ]
    assert torch.equal(cache_update(kept.clone(), new, torch.tensor(lengths)), torch.stack(rows))


def test_an_update_without_room_writes_nothing():
    kept = torch.zeros(2, 1, 4, 1)
    with pytest.raises(ValueError, match="lengths: expected at most 2.*got 3"):
        cache_update(kept, torch.ones(2, 1, 2, 1), torch.tensor([1, 3]))
    with pytest.raises(ShapeError, match="lengths"):
        cache_update(kept, torch.ones(2, 1, 2, 1), torch.tensor([1]))
    assert not kept.any()
