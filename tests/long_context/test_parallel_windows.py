"""Parallel windows: one is the ordinary model, several are read as if each stood alone."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.decoding.language_model import new_cache
from llm_course.long_context.parallel_windows import (
    check_windows,
    cut_windows,
    parallel_layout,
    parallel_logits,
    parallel_mask,
    parallel_positions,
)
from llm_course.model.config import DecoderConfig

CONFIG = DecoderConfig(
    vocab_size=30, context_length=16, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24
)
TEXT = torch.randint(30, (60,), generator=torch.Generator().manual_seed(0)).tolist()
LENGTHS = st.lists(st.integers(1, 7), min_size=1, max_size=4)


@given(LENGTHS, st.integers(1, 5))
def test_positions_and_mask_against_the_rule_token_by_token(lengths, n_task):
    places = [(w, i) for w, length in enumerate(lengths) for i in range(length)]
    places += [("task", i) for i in range(n_task)]
    positions, mask = parallel_layout(lengths, n_task)
    assert mask.dtype == torch.bool and mask.shape == (len(places), len(places))
    for q, (asks, i) in enumerate(places):
        assert positions[q] == (i + max(lengths) if asks == "task" else i)
        for k, (answers, j) in enumerate(places):
            expected = j <= i if asks == answers else asks == "task"
            assert mask[q, k].item() == expected


@pytest.mark.parametrize("position", ["rope", "learned", "sinusoidal", "alibi"])
@given(n_window=st.integers(1, 10), n_task=st.integers(1, 6))
@settings(deadline=None, max_examples=15)
@torch.no_grad()
def test_one_window_is_the_ordinary_model(make_lively, position, n_window, n_task):
    model = make_lively(replace(CONFIG, position=position)).double()
    window, task = TEXT[:n_window], TEXT[n_window : n_window + n_task]
    ordinary = model(torch.tensor([window + task]))[0, -n_task:]
    torch.testing.assert_close(parallel_logits(model, [window], task), ordinary, atol=1e-10, rtol=0)


@given(LENGTHS, st.integers(1, 5))
@settings(deadline=None, max_examples=30)
@torch.no_grad()
def test_several_equal_windows_read_alone_whose_keys_are_joined(make_lively, lengths, n_task):
    """The task reads the caches of the windows, each filled by the ordinary model."""
    model = make_lively(CONFIG).double()
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    windows = [TEXT[a : a + n] for a, n in zip(starts, lengths, strict=True)]
    task = TEXT[-n_task:]
    caches = [new_cache(model, 1, n) for n in lengths]
    for cache, window in zip(caches, windows, strict=True):
        model(torch.tensor([window]), cache=cache.extend(len(window)))

    class Joined:
        """All windows' keys, then the task's."""

        positions = torch.arange(n_task) + max(lengths)
        n_keys = sum(lengths) + n_task

        def update(self, layer, key, value):
            keys = torch.cat([cache.keys[layer] for cache in caches] + [key], dim=2)
            values = torch.cat([cache.values[layer] for cache in caches] + [value], dim=2)
            return keys, values

    seen = torch.cat(
        [torch.ones(n_task, sum(lengths), dtype=torch.bool),
         torch.ones(n_task, n_task, dtype=torch.bool).tril()], dim=1,
    )  # fmt: skip
    expected = model(torch.tensor([task]), mask=seen, cache=Joined())[0]
    torch.testing.assert_close(parallel_logits(model, windows, task), expected, atol=1e-10, rtol=0)


@torch.no_grad()
def test_the_order_of_the_windows_does_not_matter(make_lively):
    model = make_lively(CONFIG).double()
    one, other, task = TEXT[:5], TEXT[5:9], TEXT[9:12]
    torch.testing.assert_close(
        parallel_logits(model, [one, other], task),
        parallel_logits(model, [other, one], task),
        atol=1e-10, rtol=0,
    )  # fmt: skip
    in_a_row = model(torch.tensor([one + other + task]))[0, -3:]
    assert not torch.allclose(parallel_logits(model, [one, other], task), in_a_row, atol=1e-3)


@given(st.integers(1, 50), st.data())
def test_cut_windows_lose_nothing(n_tokens, data):
    n_windows = data.draw(st.integers(1, n_tokens))
    windows = cut_windows(list(range(n_tokens)), n_windows)
    assert [token for window in windows for token in window] == list(range(n_tokens))
    assert len(windows) == n_windows
    sizes = [len(window) for window in windows]
    assert max(sizes) - min(sizes) <= 1 and sizes == sorted(sizes, reverse=True)


def test_bad_input_is_refused(make_lively):
    model = make_lively(CONFIG)
    with pytest.raises(ValueError) as caught:
        parallel_logits(model, [[1] * 4, [1] * 14], [1, 2, 3])
    assert str(caught.value) == (
        "windows: expected at most context_length - n_task = 13 tokens each, got 14. "
        "Fix: cut the text into more windows."
    )
    check_windows([13], 3, 16)
    for lengths in ([], [3, 0]):
        with pytest.raises(ValueError, match="window_lengths: expected at least one, each 1 or"):
            parallel_mask(lengths, 2)
        with pytest.raises(ValueError, match="window_lengths: expected at least one, each 1 or"):
            parallel_positions(lengths, 2)
    with pytest.raises(ValueError, match="n_task: expected 1 or more, got 0."):
        parallel_logits(model, [[1]], [])
    for n_windows in (0, 4):
        with pytest.raises(ValueError, match="n_windows: expected 1 to 3, the number of tokens"):
            cut_windows([1, 2, 3], n_windows)
