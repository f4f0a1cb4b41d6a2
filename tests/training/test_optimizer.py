"""AdamW against PyTorch's, step by step, and which weights decay."""

import copy

import pytest
import torch
from torch import nn

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.model.mixture_of_experts import MixtureOfExperts
from llm_course.training.optimizer import (
    AdamW,
    adamw_step,
    make_optimizer,
    parameter_groups,
)

SETTINGS = {
    "usual": {"betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1},
    "no decay": {"betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.0},
    "large eps": {"betas": (0.5, 0.999), "eps": 0.3, "weight_decay": 0.5},
    "no memory": {"betas": (0.0, 0.0), "eps": 1e-8, "weight_decay": 0.1},
}


def gradients(n_steps: int, dtype: torch.dtype) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(n_steps, 3, 4, generator=generator, dtype=torch.float64)
    drawn[:, 0, 0] = 0.0  # one weight that never has a slope
    return list(drawn.to(dtype))


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_function_equals_torch_over_20_steps_exactly(setting, dtype):
    start = torch.linspace(-2, 2, 12, dtype=dtype).reshape(3, 4)
    weight, mean, square = start.clone(), torch.zeros_like(start), torch.zeros_like(start)
    theirs = nn.Parameter(start.clone())
    peer = torch.optim.AdamW([theirs], lr=0.1, **SETTINGS[setting], foreach=False)
    for step, gradient in enumerate(gradients(20, dtype), start=1):
        peer.param_groups[0]["lr"] = rate = 0.1 / step
        theirs.grad = gradient.clone()
        peer.step()
        adamw_step(weight, gradient, mean, square, step, rate, **SETTINGS[setting])
        assert torch.equal(weight, theirs.detach()), f"step {step}"
    assert (weight - start).abs().median() > 0.01, "a weight at rest would agree with anything"
    assert torch.equal(gradient, gradients(20, dtype)[-1]), "the gradient must not be changed"


def test_by_the_published_formula():
    weight, mean, square = torch.tensor([2.0]).double(), *torch.zeros(2, 1).double()
    expected, m, v = 2.0, 0.0, 0.0
    for t, g in enumerate((0.5, -1.0, 3.0), start=1):
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
        step = (m / (1 - 0.9**t)) / ((v / (1 - 0.99**t)) ** 0.5 + 0.01)
        expected = expected - 0.1 * step - 0.1 * 0.2 * expected
        adamw_step(weight, torch.tensor([g]).double(), mean, square, t, 0.1, (0.9, 0.99), 0.01, 0.2)
    assert weight.item() == pytest.approx(expected, abs=1e-14)


def tiny(**changes) -> Decoder:
    sizes = {"vocab_size": 7, "context_length": 8, "d_model": 8, "n_layers": 1, "n_heads": 2}
    return Decoder(DecoderConfig(**sizes, d_ff=6, **changes))


def train(model: nn.Module, optimizer: torch.optim.Optimizer, n_steps: int = 20) -> nn.Module:
    tokens = torch.randint(7, (2, 8), generator=torch.Generator().manual_seed(0))
    for _ in range(n_steps):
        optimizer.zero_grad()
        model(tokens).logsumexp(-1).square().mean().backward()
        optimizer.step()
    return model


@pytest.mark.parametrize("fused", [True, False])
def test_both_kinds_equal_torch_with_the_same_groups_on_a_model(fused):
    start = tiny(norm="layer_norm", bias=True, position="learned").double()
    ours, theirs = copy.deepcopy(start), copy.deepcopy(start)
    train(ours, make_optimizer(ours, 1e-2, fused=fused))
    peer = torch.optim.AdamW(
        parameter_groups(theirs, 0.1), lr=1e-2, betas=(0.9, 0.95), foreach=False
    )
    train(theirs, peer)
    for (name, got), expected in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(
            got, expected, atol=1e-10, rtol=0, msg=lambda m, n=name: f"{n}: {m}"
        )
    for (name, before), after in zip(start.named_parameters(), ours.parameters(), strict=True):
        # A key's bias adds the same to all scores of a query: it has no slope.
        assert (before - after).abs().max() > 1e-3 or name.endswith("key.bias"), f"{name} at rest"


def test_the_two_variants_of_one_call_agree_in_fp64():
    start = tiny(norm="layer_norm", bias=True, position="learned").double()
    ours, fused = copy.deepcopy(start), copy.deepcopy(start)
    makers = {
        id(model): make_optimizer(model, 1e-2, fused=model is fused) for model in (ours, fused)
    }
    kinds = {type(optimizer) for optimizer in makers.values()}
    assert kinds == {AdamW, torch.optim.AdamW}
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        for one, other in zip(ours.parameters(), fused.parameters(), strict=True):
            one.grad = torch.randn(one.shape, generator=generator, dtype=torch.float64)
            other.grad = one.grad.clone()
        for optimizer in makers.values():
            optimizer.step()
    for (name, got), expected in zip(ours.named_parameters(), fused.parameters(), strict=True):
        torch.testing.assert_close(
            got, expected, atol=1e-12, rtol=0, msg=lambda m, n=name: f"{n}: {m}"
        )
        assert (got - start.get_parameter(name)).abs().max() > 0.01


@pytest.mark.parametrize("tie", [True, False])
def test_norms_biases_and_embeddings_do_not_decay(tie):
    model = tiny(norm="layer_norm", bias=True, position="learned", tie_embeddings=tie)
    model.blocks[0].feed_forward = MixtureOfExperts(8, 6, 2)
    names = {id(weight): name for name, weight in model.named_parameters()}
    decaying, rest = parameter_groups(model, 0.25)
    assert (decaying["weight_decay"], rest["weight_decay"]) == (0.25, 0.0)
    parts = {"query.weight", "key.weight", "value.weight", "output.weight"}
    expected = {f"blocks.0.attention.{part}" for part in parts}
    expected |= {
        f"blocks.0.feed_forward.{part}" for part in ("router.weight", "gate", "up", "down")
    }
    expected |= set() if tie else {"output.weight"}
    assert {names[id(weight)] for weight in decaying["params"]} == expected
    assert {names[id(weight)] for weight in rest["params"]} == set(names.values()) - expected
    assert len(decaying["params"]) + len(rest["params"]) == len(names), "a weight is there twice"


def test_only_decaying_weights_shrink_without_a_gradient():
    model = tiny()
    before = copy.deepcopy(model.state_dict())
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    make_optimizer(model, 0.5, weight_decay=0.2, fused=False).step()
    after = model.state_dict()
    assert torch.equal(after["embedding.weight"], before["embedding.weight"])
    assert torch.equal(after["final_norm.weight"], before["final_norm.weight"])
    name = "blocks.0.feed_forward.up.weight"
    torch.testing.assert_close(after[name], 0.9 * before[name])


@pytest.mark.parametrize("fused", [True, False])
def test_frozen_weights_stay_and_take_no_memory(fused):
    model = tiny()
    for weight in model.blocks.parameters():
        weight.requires_grad_(False)
    before = copy.deepcopy(model.state_dict())
    optimizer = make_optimizer(model, 1e-2, fused=fused)
    train(model, optimizer, 2)
    same = {
        name for name, weight in model.state_dict().items() if torch.equal(weight, before[name])
    }
    assert same == {name for name in before if name.startswith("blocks")}
    assert len(optimizer.state) == 2


def test_a_weight_without_gradient_is_left_alone():
    weights = [nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))]
    optimizer = AdamW(weights)
    weights[0].grad = torch.ones(2)
    optimizer.step()
    assert weights[0][0] < 1 and weights[1][0] == 1
    assert weights[1] not in optimizer.state


def test_a_closure_is_called_with_gradients():
    weight = nn.Parameter(torch.ones(1))

    def closure():
        loss = weight.square().sum()
        loss.backward()
        return loss

    assert AdamW([weight]).step(closure).item() == 1.0
    assert weight.item() < 1.0


def test_it_goes_on_from_a_saved_state():
    straight, saved = tiny(), tiny()
    train(straight, make_optimizer(straight, 1e-2, fused=False), 6)
    first = make_optimizer(saved, 1e-2, fused=False)
    train(saved, first, 3)
    second = make_optimizer(saved, 1e-2, fused=False)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    train(saved, second, 3)
    for got, expected in zip(saved.parameters(), straight.parameters(), strict=True):
        assert torch.equal(got, expected)


def test_a_model_without_weights_is_refused():
    model = tiny().requires_grad_(False)
    with pytest.raises(ValueError, match="model: expected a weight to train, got none"):
        make_optimizer(model, 1e-3)
