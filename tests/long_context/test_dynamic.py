"""A model that is stretched at every call equals Transformers' with ``dynamic``."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from llm_course.decoding.generate import GenerationConfig, generate
from llm_course.decoding.language_model import new_cache
from llm_course.long_context.checkpoints import load_stretched
from llm_course.long_context.dynamic import DynamicNTK
from llm_course.long_context.rope_scaling import RopeScaling, stretched
from llm_course.model.config import DecoderConfig
from llm_course.training.loss import next_token_loss

CONFIG = DecoderConfig(
    vocab_size=30, context_length=16, d_model=32, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24
)
SCALING = RopeScaling(kind="dynamic", factor=4.0, original=16)
TOKENS = torch.randint(30, (2, 40), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model(make_lively) -> DynamicNTK:
    return DynamicNTK(make_lively(CONFIG), SCALING)


@torch.no_grad()
def test_a_short_text_is_read_as_before_and_a_long_one_by_its_length(model):
    assert torch.equal(model(TOKENS[:, :16]), model.model(TOKENS[:, :16]))
    for n_tokens in (17, 40):
        longer = stretched(model.model, SCALING, n_tokens)
        assert torch.equal(model(TOKENS[:, :n_tokens]), longer(TOKENS[:, :n_tokens]))
    assert not torch.allclose(model(TOKENS), model.model(TOKENS), atol=1e-3)


@torch.no_grad()
def test_the_length_is_that_of_the_last_position(model):
    positions = torch.arange(10, 40)
    longer = stretched(model.model, SCALING, 40)
    assert torch.equal(model(TOKENS[:, :30], positions), longer(TOKENS[:, :30], positions))


@torch.no_grad()
def test_logits_equal_transformers_at_every_length(model, tmp_path):
    theirs = LlamaForCausalLM(LlamaConfig(
        vocab_size=30, hidden_size=32, intermediate_size=24, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=16,
        rope_parameters={"rope_type": "dynamic", "rope_theta": 1e4, "factor": 4.0},
    )).eval()  # fmt: skip
    for weight in theirs.parameters():
        weight.add_(0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(3)))
    theirs.save_pretrained(tmp_path)
    ours = load_stretched(tmp_path)
    assert isinstance(ours, DynamicNTK)
    for n_tokens in (9, 16, 17, 40, 8):
        text = TOKENS[:, :n_tokens]
        torch.testing.assert_close(ours(text), theirs(text).logits, atol=1e-5, rtol=0)


@torch.no_grad()
def test_with_a_cache_new_tokens_are_read_by_the_length_so_far(model):
    ours, theirs = new_cache(model, 2, 64), new_cache(model, 2, 64)
    for start, end in ((0, 30), (30, 39), (39, 40)):
        part, longer = TOKENS[:, start:end], stretched(model.model, SCALING, end)
        got = model(part, cache=ours.extend(end - start))
        assert torch.equal(got, longer(part, cache=theirs.extend(end - start)))


def test_it_can_be_decoded_past_the_trained_length_and_trained(model):
    [written] = generate(model, [[1, 2, 3]], GenerationConfig(max_new_tokens=100))
    assert len(written.tokens) == 64 - 3 + 1
    next_token_loss(model, TOKENS[:, :-1], TOKENS[:, 1:]).backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_bad_input_is_refused(make_lively):
    linear = RopeScaling(kind="linear", factor=4.0, original=16)
    with pytest.raises(ValueError, match="scaling: expected the kind dynamic, got linear."):
        DynamicNTK(make_lively(CONFIG), linear)
