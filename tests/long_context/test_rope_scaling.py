"""A stretched model is the same weights with other angles; the config says which."""

import json
from dataclasses import asdict, replace

import pytest
import torch

from llm_course.decoding.language_model import new_cache
from llm_course.long_context.ntk import ntk_frequencies
from llm_course.long_context.rope_scaling import RopeScaling, scaled_frequencies, stretched
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import PositionOptions
from llm_course.training.loss import next_token_loss

CONFIG = DecoderConfig(
    vocab_size=30, context_length=16, d_model=32, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24,
    position_options=PositionOptions(rope_base=500.0),
)  # fmt: skip
TOKENS = torch.randint(30, (2, 40), generator=torch.Generator().manual_seed(0))
KINDS = pytest.mark.parametrize("kind", ["linear", "ntk", "dynamic", "yarn"])


def scaling(kind: str, **change: float) -> RopeScaling:
    return RopeScaling(**({"kind": kind, "factor": 4.0, "original": 16} | change))


@KINDS
@torch.no_grad()
def test_the_model_turns_by_the_frequencies_of_the_method(make_lively, kind):
    model = make_lively(CONFIG)
    longer = stretched(model, scaling(kind), n_tokens=40)
    frequencies, magnitude = scaled_frequencies(scaling(kind), 8, 500.0, n_tokens=40)
    rotate, positions = longer.rotation(torch.arange(40)), torch.arange(40)
    x = torch.randn(1, 1, 40, 8, generator=torch.Generator().manual_seed(1))
    turn = torch.polar(torch.full((40, 4), magnitude), positions[:, None] * frequencies)
    turned = torch.complex(x[..., :4], x[..., 4:]) * turn  # a pair is a complex number
    expected = torch.cat((turned.real, turned.imag), dim=-1)
    torch.testing.assert_close(rotate(x), expected, atol=1e-6, rtol=0)
    assert not torch.allclose(longer(TOKENS), model(TOKENS), atol=1e-3)
    assert longer.config.context_length == 64 and model.config == CONFIG


@torch.no_grad()
def test_ntk_is_a_model_with_a_larger_base(make_lively):
    model = make_lively(CONFIG)
    base = 500.0 * 4.0 ** (8 / 6)
    options = PositionOptions(rope_base=base)
    trained_so = make_lively(replace(CONFIG, position_options=options))
    longer = stretched(model, scaling("ntk"))
    torch.testing.assert_close(longer(TOKENS), trained_so(TOKENS), atol=1e-4, rtol=0)
    assert torch.equal(scaled_frequencies(scaling("ntk"), 8, 500.0)[0],
                       ntk_frequencies(8, 4.0, 500.0))  # fmt: skip


@KINDS
def test_weights_are_shared_and_trained_together(make_lively, kind):
    model = make_lively(CONFIG)
    longer = stretched(model, scaling(kind))
    assert {id(w) for w in model.parameters()} == {id(w) for w in longer.parameters()}
    next_token_loss(longer, TOKENS[:, :-1], TOKENS[:, 1:]).backward()
    assert all(weight.grad is not None for weight in model.parameters())


@torch.no_grad()
def test_stretching_twice_is_stretching_once(make_lively):
    model = make_lively(CONFIG)
    twice = stretched(stretched(model, scaling("yarn")), scaling("linear", factor=2.0))
    assert twice.config == stretched(model, scaling("linear", factor=2.0)).config
    assert torch.equal(twice(TOKENS), stretched(model, scaling("linear", factor=2.0))(TOKENS))


@KINDS
@torch.no_grad()
def test_a_cache_reads_with_the_same_angles(make_lively, kind):
    longer = stretched(make_lively(CONFIG).double(), scaling(kind), n_tokens=40)
    cache = new_cache(longer, 2, 40)
    parts = [longer(part, cache=cache.extend(part.shape[1])) for part in TOKENS.split(7, 1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), longer(TOKENS), atol=1e-10, rtol=0)


def test_the_config_survives_json(make_lively):
    config = stretched(make_lively(CONFIG), scaling("yarn")).config
    assert DecoderConfig.from_dict(json.loads(json.dumps(asdict(config)))) == config


def test_a_factor_of_one_changes_nothing(make_lively):
    model = make_lively(CONFIG)
    for kind in ("linear", "ntk", "dynamic", "yarn"):
        same = stretched(model, scaling(kind, factor=1.0))
        torch.testing.assert_close(same(TOKENS), model(TOKENS), atol=1e-5, rtol=0)


def test_bad_input_is_refused(make_lively):
    with pytest.raises(ValueError, match="kind: expected one of linear, ntk, dynamic, yarn, got"):
        scaling("llama3")
    with pytest.raises(ValueError, match="factor: expected 1 or more"):
        scaling("linear", factor=0.5)
    with pytest.raises(ValueError, match="original: expected a positive integer, got 0."):
        scaling("linear", original=0)
    with pytest.raises(ValueError) as caught:
        stretched(make_lively(replace(CONFIG, position="alibi")), scaling("linear"))
    assert str(caught.value) == "position: expected a model with rope, got alibi."
