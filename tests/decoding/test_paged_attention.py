"""Attention over the paged cache equals attention over contiguous keys and values."""

import pytest
import torch
from torch import Tensor

from llm_course.decoding.paged_attention import paged_attention
from llm_course.decoding.paged_cache import PagedCache
from llm_course.model.attention import fused_attention, scaled_dot_product_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.model.heads import merge_heads
from llm_course.model.masks import causal_mask

LENGTHS = [7, 1, 12]
KERNELS = pytest.mark.parametrize("attend", [scaled_dot_product_attention, fused_attention])


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def scattered() -> tuple[PagedCache, list[tuple[Tensor, Tensor]]]:
    """Three sequences that grew in turn, so that their blocks interleave; and contiguous copies."""
    cache = PagedCache(2, 2, 4, n_blocks=12, block_size=3)
    contiguous = [(random(2, n, 4, seed=n), random(2, n, 4, seed=-n)) for n in LENGTHS]
    sequences = [cache.start() for _ in LENGTHS]
    for t in range(max(LENGTHS)):
        for sequence, (key, value) in zip(sequences, contiguous, strict=True):
            if t < key.shape[1]:
                new = key[:, t : t + 1], value[:, t : t + 1]
                cache.write(1, cache.extend(sequence, 1), *new)
    assert cache.table(0) != sorted(range(3)), "the blocks must not lie in order"
    return cache, contiguous


@KERNELS
@pytest.mark.parametrize("n_queries", [1, 5, 7])
def test_one_sequence_is_bit_identical_to_contiguous(attend, n_queries):
    cache, contiguous = scattered()
    query = random(1, 4, n_queries, 4, seed=9)
    key, value = (part[None] for part in contiguous[0])
    expected = attend(query, key, value, causal_mask(n_queries, 7))
    assert torch.equal(paged_attention(query, cache, 1, [0], attend), expected)


@KERNELS
def test_one_query_of_sequences_of_different_lengths(attend):
    cache, contiguous = scattered()
    query = random(3, 4, 1, 4, seed=9)
    together = paged_attention(query, cache, 1, [0, 1, 2], attend)
    for row, (key, value) in enumerate(contiguous):
        alone = attend(query[row : row + 1], key[None], value[None], None)
        torch.testing.assert_close(together[row : row + 1], alone, atol=1e-6, rtol=0)


def test_rows_follow_the_sequences_that_are_named():
    cache, _ = scattered()
    query = random(1, 4, 1, 4).expand(3, -1, -1, -1)
    forward = paged_attention(query, cache, 1, [0, 1, 2])
    torch.testing.assert_close(paged_attention(query, cache, 1, [2, 0, 1]), forward[[2, 0, 1]])
    assert (forward[0] - forward[2]).abs().amin() > 1e-4, "the rows must differ to be told apart"


@KERNELS
def test_a_sequence_that_overflows_does_not_spoil_its_neighbours(attend):
    cache, _ = scattered()
    query = random(2, 4, 1, 4)
    before = paged_attention(query, cache, 1, [1, 2], attend)
    blocks = cache.table(0)
    cache.keys[:, blocks], cache.values[:, blocks] = torch.nan, torch.nan
    cache.values[:, cache.table(1), :, 1:] = torch.inf  # behind the end of its own last block
    after = paged_attention(query, cache, 1, [1, 2], attend)
    assert torch.equal(before, after)


def test_a_decoder_reading_the_cache_gives_the_logits_of_the_full_sequence():
    config = DecoderConfig(
        vocab_size=11, context_length=16, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=8
    )
    model = Decoder(config).double()
    tokens = torch.randint(11, (1, 9), generator=torch.Generator().manual_seed(0))
    cache = PagedCache(2, 2, 4, n_blocks=8, block_size=2, dtype=torch.float64)
    sequence = cache.start()
    pieces = []
    with torch.no_grad():
        for part in tokens.split([4, 1, 1, 3], dim=1):  # prompt, two steps, three at once
            pieces.append(next_logits(model, cache, sequence, part))
        whole = model(tokens)
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-12, rtol=0)


def next_logits(model: Decoder, cache: PagedCache, sequence: int, tokens: Tensor) -> Tensor:
    positions = cache.length(sequence) + torch.arange(tokens.shape[1])
    slots = cache.extend(sequence, tokens.shape[1])
    x, rotate = model.embed(tokens, positions), model.rotation(positions)
    for layer, block in enumerate(model.blocks):
        query, key, value = block.attention.heads(block.attention_norm(x), rotate)
        cache.write(layer, slots, key[0], value[0])
        attended = paged_attention(query, cache, layer, [sequence])
        x = x + block.attention.output(merge_heads(attended))
        x = x + block.feed_forward(block.feed_forward_norm(x))
    return model.unembed(x)


def test_forked_sequences_attend_to_their_own_continuation():
    cache, contiguous = scattered()
    child = cache.fork(0)
    new = random(2, 1, 4, seed=5), random(2, 1, 4, seed=6)
    cache.write(1, cache.extend(child, 1), *new)
    key, value = (torch.cat(pair, dim=1)[None] for pair in zip(contiguous[0], new, strict=True))
    query = random(1, 4, 1, 4, seed=9)
    expected = scaled_dot_product_attention(query, key, value)
    assert torch.equal(paged_attention(query, cache, 1, [child]), expected)
    parents = scaled_dot_product_attention(query, key[:, :, :-1], value[:, :, :-1])
    assert torch.equal(paged_attention(query, cache, 1, [0]), parents)


def test_what_does_not_fit_is_refused():
    cache, _ = scattered()
    with pytest.raises(ValueError, match="query: expected at most 1 positions, .* got 2"):
        paged_attention(random(2, 4, 2, 4), cache, 1, [0, 1])
    with pytest.raises(ValueError, match="query: expected b=2, got 1"):
        paged_attention(random(1, 4, 1, 4), cache, 1, [0, 2])
    with pytest.raises(ValueError, match="sequences: expected at least one"):
        paged_attention(random(0, 4, 1, 4), cache, 1, [])
