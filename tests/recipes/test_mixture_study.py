"""The mixture study: windows, splits, batches from the sampler, and losses of a model."""

import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from llm_course.data.mixture.sampler import MixtureSampler
from llm_course.recipes import mixture_study as study


def test_windows_are_the_text_in_order():
    windows = study.cut(bytes(range(100)), length=8)
    assert windows.shape == (11, 9)
    assert windows.flatten().tolist() == list(range(99))


def test_a_domain_is_split_by_document():
    domain = study.read_domain("tiny_world", held_out=16)
    assert domain.monitor.shape == domain.test.shape == (16, study.LENGTH + 1)
    assert len(domain.train) > 10 * 16
    train = {bytes(window) for window in domain.train.tolist()}
    for held_out in (domain.monitor, domain.test):
        seen = sum(bytes(window) in train for window in held_out.tolist())
        assert seen <= 1, "generated stories may share a window by chance, not many"


def test_batches_are_what_the_sampler_draws():
    sources = {"a": torch.zeros(3, 5, dtype=torch.long), "b": torch.ones(2, 5, dtype=torch.long)}
    weights = {"a": 0.5, "b": 0.5}
    batches = list(study.mixed_batches(MixtureSampler(sources, weights, seed=3), 4, batch_size=6))
    again = MixtureSampler(sources, weights, seed=3)
    expected = [float(next(again).item[0]) for _ in range(24)]
    assert [tokens.shape for tokens, _ in batches] == [(6, 4)] * 4
    assert torch.cat([tokens[:, 0] for tokens, _ in batches]).tolist() == expected


def test_the_weights_may_change_before_a_batch():
    sources = {"a": torch.zeros(3, 5, dtype=torch.long), "b": torch.ones(2, 5, dtype=torch.long)}
    sampler = MixtureSampler(sources, {"a": 1.0, "b": 0.0}, seed=0)

    def turn(step):
        if step == 2:
            sampler.set_weights({"a": 0.0, "b": 1.0})

    means = [tokens.float().mean().item() for tokens, _ in study.mixed_batches(sampler, 4, 2, turn)]
    assert means == [0, 0, 1, 1]


def test_held_out_losses_are_the_cross_entropy():
    model = study.byte_model(seed=1)
    windows = torch.randint(256, (7, 33), generator=torch.Generator().manual_seed(0))
    loss = study.held_out_losses(model, {"noise": windows})["noise"]
    with torch.no_grad():
        logits = model(windows[:, :-1])
    expected = F.cross_entropy(logits.reshape(-1, 256), windows[:, 1:].reshape(-1)).item()
    assert loss == pytest.approx(expected, abs=1e-5)


def test_a_model_learns_what_it_reads():
    windows = study.cut(b"abcd" * 200)
    sampler = MixtureSampler({"a": windows}, {"a": 1.0}, seed=0)
    model = study.learn(study.byte_model(0), study.mixed_batches(sampler, 60), 60)
    assert study.held_out_losses(model, {"a": windows})["a"] < 0.5 < math.log(256)


def test_surprise_is_that_of_a_loop():
    windows = study.cut(b"the cat sat on the mat and the hat", length=6)
    pairs = [(a, b) for w in windows.tolist() for a, b in pairwise(w)]
    for window, got in zip(windows.tolist(), study.bigram_surprise(windows), strict=True):
        steps = [
            -math.log((pairs.count((a, b)) + 1) / (sum(p[0] == a for p in pairs) + 256))
            for a, b in pairwise(window)
        ]
        assert got.item() == pytest.approx(sum(steps) / len(steps), abs=1e-12)
