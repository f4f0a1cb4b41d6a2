"""What is read inside the model is what the model computed, and reading changes nothing."""

import math

import pytest
import torch
from torch import nn

from llm_course.model.attention import fused_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.model.heads import merge_heads, repeat_kv_heads
from llm_course.model.introspection import attention_maps, head_entropy, hidden_states
from llm_course.model.masks import causal_mask, padding_mask
from llm_course.shapes import ShapeError

CONFIG = DecoderConfig(
    vocab_size=50, context_length=16, d_model=24, n_layers=3, n_heads=6, n_kv_heads=2, d_ff=32
)
TOKENS = torch.randint(1, 50, (2, 7), generator=torch.Generator().manual_seed(0))


def lively(**options) -> Decoder:
    model = Decoder(CONFIG, **options)
    generator = torch.Generator().manual_seed(1)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.5, generator=generator)
    return model


def test_maps_are_the_weights_that_the_model_used():
    model, used = lively(attend=fused_attention), []
    handles = [
        block.attention.register_forward_hook(lambda _, args, output: used.append((args, output)))
        for block in model.blocks
    ]
    model(TOKENS)
    for handle in handles:
        handle.remove()
    maps = attention_maps(model, TOKENS)
    assert [tuple(m.shape) for m in maps] == [(2, 6, 7, 7)] * 3
    for block, weights, ((x, _, rotate), output) in zip(model.blocks, maps, used, strict=True):
        value = repeat_kv_heads(block.attention.heads(x, rotate)[2], n_heads=6)
        from_maps = block.attention.output(merge_heads(weights @ value))
        torch.testing.assert_close(from_maps, output, atol=1e-5, rtol=1e-5)


def test_maps_are_causal_distributions():
    for weights in attention_maps(lively(), TOKENS):
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 6, 7), atol=1e-6, rtol=0)
        assert weights.triu(diagonal=1).abs().max() == 0, "weight on the future"
        assert not weights.requires_grad


def test_maps_follow_the_mask_that_is_given():
    tokens = TOKENS.clone()
    tokens[:, :2] = 0
    mask = causal_mask(7) & padding_mask(tokens, pad_id=0)
    for weights in attention_maps(lively(), tokens, mask=mask):
        assert weights[..., :2].abs().max() == 0, "padding has weight"
        assert weights[:, :, :2].abs().max() == 0, "a padding query has weights"


def test_states_end_in_the_logits():
    model = lively()
    states = hidden_states(model, TOKENS)
    assert [tuple(state.shape) for state in states] == [(2, 7, 24)] * 4
    assert torch.equal(states[0], model.embedding(TOKENS))
    assert torch.equal(model.unembed(states[-1]), model(TOKENS))


def test_reading_changes_nothing():
    model = lively()
    state = {name: weight.clone() for name, weight in model.state_dict().items()}
    logits, training = model(TOKENS), model.training
    attention_maps(model, TOKENS)
    hidden_states(model, TOKENS)
    assert torch.equal(model(TOKENS), logits)
    assert model.training == training
    assert all(torch.equal(weight, state[name]) for name, weight in model.state_dict().items())
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())
    assert not any(module._forward_hooks for module in model.modules()), "a hook was left"


def test_entropy_equals_torchs_categorical_distribution():
    generator = torch.Generator().manual_seed(2)
    weights = torch.randn(2, 3, 5, 7, generator=generator, dtype=torch.float64).softmax(dim=-1)
    nats = torch.distributions.Categorical(probs=weights).entropy().mean(dim=-1)
    torch.testing.assert_close(head_entropy(weights), nats / math.log(2), atol=1e-12, rtol=0)


def test_entropy_of_hidden_keys_is_zero_and_not_nan():
    weights = torch.tensor([[[[1.0, 0.0], [0.5, 0.5]]]])
    assert head_entropy(weights).tolist() == [[0.5]]


def test_entropy_of_a_single_map_is_refused():
    with pytest.raises(ShapeError, match=r"weights: expected 4 axes"):
        head_entropy(torch.eye(3))
