"""The decoder: causality, names, initialisation, errors. Parity is in test_decoder_parity."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from llm_course.model.attention import fused_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.decoder import Decoder
from llm_course.model.masks import causal_mask, padding_mask, prefix_mask, sliding_window_mask
from llm_course.shapes import ShapeError

LLAMA = DecoderConfig(
    vocab_size=50, context_length=16, d_model=24, n_layers=2, n_heads=6, n_kv_heads=2, d_ff=32
)
GPT = replace(
    LLAMA, n_kv_heads=6, norm="layer_norm", feed_forward="gelu_tanh", position="learned", bias=True
)
FAMILIES = pytest.mark.parametrize("config", [LLAMA, GPT], ids=["llama", "gpt"])


def lively(config: DecoderConfig, **options) -> Decoder:
    """A decoder whose weights are large enough for every part to matter."""
    model = Decoder(config, **options).double()
    generator = torch.Generator().manual_seed(1)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.3, generator=generator)
    return model


def ids(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(50, shape, generator=torch.Generator().manual_seed(seed))


@FAMILIES
@settings(max_examples=20)
@given(position=st.integers(1, 9), seed=st.integers(0, 1000))
def test_future_tokens_change_nothing_and_past_ones_do(config, position, seed):
    model, tokens = lively(config), ids(1, 10, seed=seed)
    changed = tokens.clone()
    changed[:, position:] = (changed[:, position:] + 1) % 50
    before, after = model(tokens), model(changed)
    assert torch.equal(before[:, :position], after[:, :position]), "the future was seen"
    assert (before - after)[:, position:].abs().amax(-1).min() > 1e-6, "the past was not seen"


@FAMILIES
def test_a_prefix_gives_the_same_logits_alone(config):
    model, tokens = lively(config), ids(2, 10)
    torch.testing.assert_close(model(tokens[:, :4]), model(tokens)[:, :4], atol=1e-10, rtol=0)


def left_padded(tokens, n_padding):
    """The tokens behind zeros, and their positions, which begin at the first token."""
    n = tokens.shape[1]
    padding = torch.zeros(1, n_padding, dtype=torch.long)
    return torch.cat([padding, tokens], dim=1), (torch.arange(n_padding + n) - n_padding).clamp(0)


@FAMILIES
@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 8), n_padding=st.integers(1, 4), seed=st.integers(0, 1000))
def test_left_padding_changes_nothing_with_mask_and_positions(config, n, n_padding, seed):
    model, tokens = lively(config), ids(1, n, seed=seed) % 49 + 1
    padded, positions = left_padded(tokens, n_padding)
    mask = causal_mask(n + n_padding) & padding_mask(padded, pad_id=0)
    logits = model(padded, positions[None], mask)
    assert logits.isfinite().all(), "a padding query sees nothing; that must not make NaN"
    torch.testing.assert_close(logits[:, n_padding:], model(tokens), atol=1e-10, rtol=0)


@FAMILIES
def test_a_given_mask_replaces_the_causal_one(config):
    model, tokens = lively(config), ids(1, 5)
    changed = tokens.clone()
    changed[0, 4] = (changed[0, 4] + 1) % 50
    everything = torch.ones(5, 5, dtype=torch.bool)
    moved = model(tokens, mask=everything)[:, 0] - model(changed, mask=everything)[:, 0]
    assert moved.abs().max() > 1e-6, "the first token should see the last"
    assert torch.equal(model(tokens, mask=causal_mask(5)), model(tokens))


PARTS = [
    {"position": "t5", "wiring": Wiring(scale_scores=False, output_scale=0.2)},
    {"position": "alibi", "wiring": Wiring(embedding_norm=True)},
    {"position": "sinusoidal", "wiring": Wiring(placement="post", embedding_scale=5.0)},
    {"position": "rope", "wiring": Wiring(placement="sandwich")},
    {"position": "none", "wiring": Wiring(placement="deep_norm")},
    {"position": "learned", "wiring": Wiring(placement="parallel", window=4)},
]


@pytest.mark.parametrize("parts", PARTS, ids=lambda parts: parts["position"])
@settings(max_examples=10, deadline=None)
@given(position=st.integers(1, 9), seed=st.integers(0, 1000))
def test_the_future_is_hidden_whatever_the_parts(parts, position, seed):
    model, tokens = lively(replace(LLAMA, **parts)), ids(1, 10, seed=seed)
    changed = tokens.clone()
    changed[:, position:] = (changed[:, position:] + 1) % 50
    before, after = model(tokens), model(changed)
    assert torch.equal(before[:, :position], after[:, :position]), "the future was seen"
    assert (before - after)[:, position:].abs().amax(-1).min() > 1e-9, "the past was not seen"


@pytest.mark.parametrize("parts", PARTS, ids=lambda parts: parts["position"])
def test_fused_kernel_agrees_whatever_the_parts(parts):
    config, tokens = replace(LLAMA, **parts), ids(2, 8)
    fused = lively(config, attend=fused_attention)(tokens)
    torch.testing.assert_close(fused, lively(config)(tokens), atol=1e-9, rtol=1e-9)


@FAMILIES
def test_a_prefix_decoder_is_an_encoder_over_its_prefix(config):
    model, tokens = lively(config), ids(1, 8)
    mask = prefix_mask(8, torch.tensor([5]))
    for changed in range(8):
        other = tokens.clone()
        other[0, changed] = (other[0, changed] + 1) % 50
        moved = (model(other, mask=mask) - model(tokens, mask=mask)).abs().amax(-1)[0]
        seen_by = [query for query in range(8) if changed < 5 or query >= changed]
        assert (moved > 1e-9).nonzero().flatten().tolist() == seen_by


def test_a_window_hides_what_is_further_back_than_layers_times_window():
    config = replace(GPT, wiring=Wiring(window=3))  # two layers: 2 * (3 - 1) tokens back
    model, tokens = lively(config), ids(1, 9)
    assert torch.equal(model.default_mask(9), sliding_window_mask(9, 3))
    changed = tokens.clone()
    changed[0, 0] = (changed[0, 0] + 1) % 50
    moved = (model(changed) - model(tokens)).abs().amax(-1)[0]
    assert (moved > 1e-12).int().tolist() == [1, 1, 1, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("position", ["t5", "alibi"])
@settings(max_examples=10, deadline=None)
@given(shift=st.integers(0, 3000))
def test_biased_models_see_offsets_only(position, shift):
    model, tokens = lively(replace(LLAMA, position=position)), ids(1, 7)
    shifted = model(tokens, torch.arange(7) + shift)
    torch.testing.assert_close(shifted, model(tokens), atol=1e-10, rtol=0)


@pytest.mark.parametrize("parts", PARTS[:3], ids=lambda parts: parts["position"])
@settings(max_examples=10, deadline=None)
@given(n=st.integers(1, 8), n_padding=st.integers(1, 4), seed=st.integers(0, 1000))
def test_left_padding_changes_nothing_whatever_the_parts(parts, n, n_padding, seed):
    model, tokens = lively(replace(LLAMA, **parts)), ids(1, n, seed=seed) % 49 + 1
    padded, positions = left_padded(tokens, n_padding)
    mask = model.default_mask(n + n_padding) & padding_mask(padded, pad_id=0)
    logits = model(padded, positions[None], mask)
    torch.testing.assert_close(logits[:, n_padding:], model(tokens), atol=1e-10, rtol=0)


def test_a_memory_where_there_is_no_cross_attention_is_refused_and_so_is_its_absence():
    tokens, memory = ids(1, 3), torch.zeros(1, 4, 24)
    with pytest.raises(ValueError) as caught:
        Decoder(LLAMA)(tokens, memory=memory)
    assert str(caught.value).startswith("memory: expected none, got one. Fix: ")
    with pytest.raises(ValueError) as caught:
        Decoder(LLAMA, cross_attention=True)(tokens)
    assert str(caught.value).startswith("memory: expected what an encoder made, got none. Fix: ")


def test_rotary_model_sees_offsets_and_learned_model_sees_positions():
    tokens, shifted = ids(1, 5), torch.arange(5) + 7
    rotary, learned = lively(LLAMA), lively(GPT)
    torch.testing.assert_close(rotary(tokens, shifted), rotary(tokens), atol=1e-4, rtol=0)
    assert (learned(tokens, shifted) - learned(tokens)).abs().max() > 0.1


def test_one_layer_without_positions_cannot_tell_the_order_of_the_past():
    # One layer: the second would read the order off the causal mask of the first.
    model = lively(replace(LLAMA, position="none", n_layers=1))
    tokens = torch.tensor([[3, 1, 4, 7]])
    permuted = torch.tensor([[4, 3, 1, 7]])
    torch.testing.assert_close(model(tokens)[:, -1], model(permuted)[:, -1], atol=1e-10, rtol=0)
    rotary = lively(replace(LLAMA, n_layers=1))
    assert (rotary(tokens) - rotary(permuted))[:, -1].abs().max() > 1e-3


@FAMILIES
def test_fused_kernel_gives_the_same_logits_and_gradients(config):
    tokens, results = ids(2, 8), []
    for options in ({}, {"attend": fused_attention}):
        model = lively(config, **options)
        logits = model(tokens)
        logits.square().sum().backward()
        results.append([logits, *(weight.grad for weight in model.parameters())])
    for plain, fused in zip(*results, strict=True):
        torch.testing.assert_close(fused, plain, atol=1e-9, rtol=1e-9)


@FAMILIES
def test_the_tied_matrix_is_stored_once(config):
    tied, untied = Decoder(config), Decoder(replace(config, tie_embeddings=False))
    assert untied.state_dict().keys() - tied.state_dict().keys() == {"output.weight"}
    assert untied.n_parameters - tied.n_parameters == 50 * 24


def test_names_of_the_weights_outside_the_blocks():
    for config, expected in [
        (LLAMA, {"embedding.weight", "final_norm.weight"}),
        (GPT, {"embedding.weight", "position_embedding.weight", "final_norm.weight",
               "final_norm.bias"}),
    ]:  # fmt: skip
        names = Decoder(config).state_dict().keys()
        assert {name for name in names if not name.startswith("blocks.")} == expected
        assert {name.split(".")[1] for name in names if name.startswith("blocks.")} == {"0", "1"}


def test_published_parameter_counts():
    smollm2 = DecoderConfig(
        vocab_size=49_152, context_length=8192, d_model=576, n_layers=30, n_heads=9, n_kv_heads=3,
        d_ff=1536,
    )  # fmt: skip
    gpt2 = DecoderConfig(
        vocab_size=50_257, context_length=1024, d_model=768, n_layers=12, n_heads=12, d_ff=3072,
        norm="layer_norm", feed_forward="gelu_tanh", position="learned", bias=True,
    )  # fmt: skip
    with torch.device("meta"):
        assert Decoder(smollm2).n_parameters == 134_515_008
        assert Decoder(gpt2).n_parameters == 124_439_808


def test_initial_weights_come_from_the_generator_alone():
    torch.manual_seed(0)
    first = Decoder(LLAMA, generator=torch.Generator().manual_seed(5)).state_dict()
    torch.manual_seed(1)
    again = Decoder(LLAMA, generator=torch.Generator().manual_seed(5)).state_dict()
    other = Decoder(LLAMA, generator=torch.Generator().manual_seed(6)).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["embedding.weight"], other["embedding.weight"])
    assert torch.equal(Decoder(LLAMA).embedding.weight, Decoder(LLAMA).embedding.weight)


def test_scale_of_the_initial_weights():
    wide = replace(GPT, vocab_size=500, d_model=192, d_ff=768, n_layers=8)
    for name, weight in Decoder(wide).named_parameters():
        if name.endswith("bias"):
            assert weight.abs().max() == 0, name
        elif weight.dim() == 1:
            assert torch.equal(weight, torch.ones_like(weight)), name
        else:
            residual = "attention.output" in name or "down" in name
            expected = 0.02 / 4 if residual else 0.02
            assert weight.std().item() == pytest.approx(expected, rel=0.05), name


@FAMILIES
@pytest.mark.parametrize("attend", [None, fused_attention])
def test_everything_is_made_on_the_device_of_the_tokens(config, attend):
    options = {} if attend is None else {"attend": attend}
    with torch.device("meta"):
        model = Decoder(config, **options)
    logits = model(torch.zeros(2, 5, dtype=torch.long, device="meta"))
    assert (logits.device.type, logits.shape) == ("meta", (2, 5, 50))


@FAMILIES
def test_half_precision_model_computes_in_its_dtype_with_exact_angles(config):
    exact = lively(config)
    narrow = lively(config).to(torch.bfloat16)
    tokens = ids(1, 6)
    logits = narrow(tokens)
    assert logits.dtype == torch.bfloat16
    assert nn.functional.cosine_similarity(logits.double(), exact(tokens), dim=-1).min() > 0.99
    if config.position == "rope":
        far = torch.tensor([4095])
        kept, expected = narrow.rotation(far).keywords, exact.rotation(far).keywords
        assert torch.equal(kept["cosine"], expected["cosine"]), "frequencies were rounded to bf16"


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        ({"tokens": torch.zeros(1, 3)}, TypeError,
         "tokens: expected int64 or int32 ids, got torch.float32."),
        ({"tokens": torch.tensor([1, 2])}, ShapeError,
         "tokens: expected 2 axes (b t), got shape (2,)."),
        ({"tokens": torch.tensor([[1, 50]])}, ValueError,
         "tokens: expected values from 0 to vocab_size - 1 = 49, got 1 to 50."),
        ({"tokens": torch.tensor([[-1, 3]])}, ValueError,
         "tokens: expected values from 0 to vocab_size - 1 = 49, got -1 to 3."),
        ({"tokens": torch.zeros(1, 17, dtype=torch.long)}, ValueError,
         "positions: expected values from 0 to context_length - 1 = 15, got 0 to 16."),
        ({"tokens": torch.zeros(1, 3, dtype=torch.long), "positions": torch.arange(4)}, ShapeError,
         "positions: expected t=3, got 4 in shape (4,) (t)."),
        ({"tokens": torch.zeros(1, 3, dtype=torch.long), "positions": torch.zeros(2, 3)},
         ShapeError, "positions: expected b=1, got 2 in shape (2, 3) (b t)."),
    ],
)  # fmt: skip
def test_bad_input_is_refused(call, kind, message):
    with pytest.raises(kind) as caught:
        Decoder(GPT)(**call)
    assert str(caught.value) == message


def test_rotary_model_may_read_beyond_its_context():
    assert Decoder(LLAMA)(ids(1, 20)).isfinite().all()


def test_float_mask_is_refused():
    with pytest.raises(TypeError, match="mask: expected bool"):
        Decoder(LLAMA)(ids(1, 3), mask=torch.ones(3, 3))
