"""A decoder over the paged cache gives the logits of the full sequence, whatever its positions."""

from dataclasses import replace

import pytest
import torch

from llm_course.decoding.paged_cache import PagedCache
from llm_course.decoding.paged_step import PagedStep
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.shapes import ShapeError

CONFIG = DecoderConfig(
    vocab_size=30, context_length=24, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24
)
VARIANTS = {
    **{kind: replace(CONFIG, position=kind) for kind in ("rope", "learned", "t5", "alibi")},
    "window": replace(CONFIG, wiring=Wiring(window=3)),
}
TOKENS = torch.randint(30, (3, 13), generator=torch.Generator().manual_seed(0))
LENGTHS = [4, 9, 1]


def new_cache(n_blocks: int = 20) -> PagedCache:
    return PagedCache(2, 2, 4, n_blocks=n_blocks, block_size=3, dtype=torch.float64)


def read(model, cache, sequences, tokens):
    for sequence in sequences:
        cache.extend(sequence, tokens.shape[1])
    with torch.no_grad():
        return model(tokens, cache=PagedStep(cache, sequences, tokens.shape[1]))


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_logits_equal_each_text_alone(make_lively, config):
    model, cache = make_lively(config).double(), new_cache()
    sequences = [cache.start() for _ in LENGTHS]
    got = [
        [read(model, cache, [sequence], TOKENS[row : row + 1, :length])[0]]
        for row, (sequence, length) in enumerate(zip(sequences, LENGTHS, strict=True))
    ]
    for part in (TOKENS[:, 9:10], TOKENS[:, 10:12]):  # one at a time, then two
        for row, logits in enumerate(read(model, cache, sequences, part)):
            got[row].append(logits)
    for row, length in enumerate(LENGTHS):
        text = torch.cat([TOKENS[row, :length], TOKENS[row, 9:12]])[None]
        with torch.no_grad():
            expected = model(text)[0]
        torch.testing.assert_close(torch.cat(got[row]), expected, atol=1e-11, rtol=0)


@pytest.mark.parametrize("n_shared", [1, 3, 5, 9])
def test_a_shared_beginning_of_any_length(make_lively, n_shared):
    model, cache = make_lively(CONFIG).double(), new_cache()
    first = cache.start()
    read(model, cache, [first], TOKENS[:1, :9])
    second = cache.fork(first, n_shared)
    assert cache.length(second) == n_shared
    other = torch.cat([TOKENS[:1, :n_shared], TOKENS[1:2, n_shared:12]], dim=1)
    got = read(model, cache, [second], other[:, n_shared:])
    mine = read(model, cache, [first], TOKENS[:1, 9:12])
    with torch.no_grad():
        torch.testing.assert_close(got, model(other)[:, n_shared:], atol=1e-11, rtol=0)
        torch.testing.assert_close(mine, model(TOKENS[:1, :12])[:, 9:], atol=1e-11, rtol=0)


def test_what_another_text_left_in_a_block_disturbs_nobody(make_lively):
    model, cache = make_lively(CONFIG).double(), new_cache(n_blocks=5)
    spoiled = cache.start()
    cache.extend(spoiled, 15)
    cache.keys.fill_(torch.nan)
    cache.values.fill_(torch.inf)
    cache.release(spoiled)
    sequences = [cache.start(), cache.start()]
    read(model, cache, sequences[:1], TOKENS[:1, :7])
    read(model, cache, sequences[1:], TOKENS[1:2, :1])
    got = read(model, cache, sequences, TOKENS[:2, 7:8])
    assert got.isfinite().all()
    with torch.no_grad():
        alone = model(torch.cat([TOKENS[1:2, :1], TOKENS[1:2, 7:8]], dim=1))[0, -1]
    torch.testing.assert_close(got[1, 0], alone, atol=1e-11, rtol=0)


def test_a_text_that_overflows_does_not_spoil_its_neighbour(make_lively):
    model, cache = make_lively(CONFIG).double(), new_cache()
    sequences = [cache.start(), cache.start()]
    for row, sequence in enumerate(sequences):
        read(model, cache, [sequence], TOKENS[row : row + 1, : 5 + row])
    blocks = cache.table(sequences[0])
    cache.keys[:, blocks], cache.values[:, blocks] = torch.nan, torch.nan
    got = read(model, cache, sequences, TOKENS[:2, 7:8])
    assert got[0].isnan().all() and got[1].isfinite().all()


def test_what_does_not_fit_is_refused():
    cache = new_cache()
    sequence = cache.start()
    with pytest.raises(ValueError, match="n_tokens: expected 1 to the length of the shortest of 1"):
        PagedStep(cache, [sequence], 1)
    with pytest.raises(ValueError, match="of 0 sequences, got 1"):
        PagedStep(cache, [], 1)
    cache.extend(sequence, 2)
    with pytest.raises(ShapeError, match="key: expected t=2, got 1"):
        PagedStep(cache, [sequence], 2).update(0, *torch.zeros(2, 1, 2, 1, 4))
    with pytest.raises(ValueError, match="n_tokens: expected 0 to 2, its length, got 3"):
        cache.fork(sequence, 3)
