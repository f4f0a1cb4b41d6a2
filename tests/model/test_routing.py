"""Routing against softmax by its definition, queues against a loop, losses by hand and by HF."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.mixtral.modeling_mixtral import load_balancing_loss_func

from llm_course.model.routing import (
    expert_capacity,
    load_balance_loss,
    queue_positions,
    route,
    router_z_loss,
)
from llm_course.shapes import ShapeError


def logits(n_tokens: int = 7, n_experts: int = 5, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n_tokens, n_experts, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("top_k", [1, 2, 5])
def test_weights_are_the_best_probabilities_scaled_to_one(top_k):
    scores = logits()
    experts, weights = route(scores, top_k)
    for row, chosen, given_weights in zip(scores, experts, weights, strict=True):
        probabilities = row.exp() / row.exp().sum()
        best = sorted(range(5), key=lambda e: -row[e].item())[:top_k]
        assert chosen.tolist() == best, "best expert first"
        expected = probabilities[best] / probabilities[best].sum()
        torch.testing.assert_close(given_weights, expected, atol=1e-14, rtol=0)


@pytest.mark.parametrize("top_k", [1, 2, 5])
def test_without_renormalising_the_weights_are_the_probabilities(top_k):
    experts, weights = route(logits(), top_k, renormalise=False)
    probabilities = logits().exp() / logits().exp().sum(dim=-1, keepdim=True)
    torch.testing.assert_close(weights, probabilities.gather(1, experts), atol=1e-14, rtol=0)


def test_only_without_renormalising_does_one_expert_teach_the_router():
    for renormalise in (True, False):
        scores = logits().requires_grad_()
        route(scores, 1, renormalise)[1].sum().backward()
        assert (scores.grad.abs().max() > 0.01) == (not renormalise)


def test_weights_of_half_precision_logits_are_fp32():
    assert route(logits().bfloat16(), 2)[1].dtype == torch.float32
    assert load_balance_loss(logits().bfloat16(), torch.zeros(7, 1).long()).dtype == torch.float32
    assert router_z_loss(logits().bfloat16()).dtype == torch.float32


@pytest.mark.parametrize(
    ("n_tokens", "n_experts", "top_k", "factor", "expected"),
    [
        (8, 4, 1, 1.0, 2),  # even
        (9, 4, 1, 1.0, 3),  # rounded up: nothing is dropped by rounding
        (8, 4, 2, 1.25, 5),
        (10, 1, 1, 1.1, 11),  # 11.000000000000002 in floating point
        (8, 4, 1, 0.5, 1),
        (0, 4, 1, 1.0, 0),
    ],
)
def test_capacity(n_tokens, n_experts, top_k, factor, expected):
    assert expert_capacity(n_tokens, n_experts, top_k, factor) == expected


@given(st.data(), st.integers(1, 4), st.integers(0, 6))
def test_queues_against_a_loop(data, n_experts, n_tokens):
    top_k = data.draw(st.integers(1, n_experts))
    rows = [data.draw(st.permutations(range(n_experts)))[:top_k] for _ in range(n_tokens)]
    experts = torch.tensor(rows, dtype=torch.int64).reshape(n_tokens, top_k)
    before, expected = [0] * n_experts, torch.full_like(experts, -1)
    for k in range(top_k):
        for n in range(n_tokens):
            expected[n, k] = before[rows[n][k]]
            before[rows[n][k]] += 1
    assert torch.equal(queue_positions(experts, n_experts), expected)


@pytest.mark.parametrize("top_k", [1, 2, 4])
def test_balance_loss_of_even_routing_is_one(top_k):
    # Token n goes to the experts n, n + 1, ...: each is chosen equally often.
    even = torch.arange(4)[:, None] + torch.arange(top_k)
    assert load_balance_loss(torch.zeros(4, 4), even % 4).item() == 1.0


def test_balance_loss_by_hand():
    # Probabilities (1/2, 1/4, 1/4) and (1/4, 1/4, 1/2): means 3/8, 1/4, 3/8.
    scores = torch.tensor([[2.0, 1.0, 1.0], [1.0, 1.0, 2.0]]).double().log()
    one = load_balance_loss(scores, torch.tensor([[0], [0]])).item()  # shares 1, 0, 0
    assert one == pytest.approx(3 * 3 / 8, abs=1e-14)
    two = load_balance_loss(scores, torch.tensor([[0, 1], [2, 1]])).item()  # 1/4, 1/2, 1/4
    assert two == pytest.approx(3 * (3 / 32 + 4 / 32 + 3 / 32), abs=1e-14)


def test_everything_to_one_expert_costs_the_number_of_experts():
    certain = torch.tensor([[50.0, 0.0, 0.0, 0.0]] * 3)
    assert load_balance_loss(certain, torch.zeros(3, 1).long()).item() == pytest.approx(4.0)


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_balance_loss_equals_transformers_which_counts_k_times(top_k):
    scores = logits(n_tokens=40).float()
    experts, _ = route(scores, top_k)
    theirs = load_balancing_loss_func((scores,), 5, top_k)
    torch.testing.assert_close(
        top_k * load_balance_loss(scores, experts), theirs, atol=1e-6, rtol=0
    )


def test_z_loss_by_hand():
    scores = torch.tensor([[1.0, 3.0], [0.5, 0.5]]).double().log()  # log 4 and log 1
    assert router_z_loss(scores).item() == pytest.approx(math.log(4) ** 2 / 2, abs=1e-14)


def test_gradients_of_the_losses():
    scores = logits().requires_grad_()
    experts, _ = route(scores.detach(), 2)
    assert torch.autograd.gradcheck(lambda x: load_balance_loss(x, experts), (scores,))
    assert torch.autograd.gradcheck(router_z_loss, (scores,))
    for renormalise in (True, False):
        assert torch.autograd.gradcheck(lambda x, r=renormalise: route(x, 2, r)[1], (scores,))


def test_a_step_along_the_gradient_relieves_the_crowded_expert():
    scores = torch.zeros(6, 3, requires_grad=True)
    crowded = torch.tensor([[0], [0], [0], [0], [1], [2]])
    load_balance_loss(scores, crowded).backward()
    assert (scores.grad[:, 0] > 0).all() and (scores.grad[:, 1:] < 0).all()


def test_what_does_not_fit_is_refused():
    for top_k in (0, 6):
        with pytest.raises(ValueError, match=f"top_k: expected 1 to 5, the experts, got {top_k}"):
            route(logits(), top_k)
    with pytest.raises(ShapeError, match="experts: expected n=7, got 3"):
        load_balance_loss(logits(), torch.zeros(3, 2).long())
    with pytest.raises(ShapeError, match="logits: expected 2 axes"):
        router_z_loss(torch.zeros(2, 3, 4))
    with pytest.raises(ValueError, match="capacity_factor: expected a positive number, got 0"):
        expert_capacity(8, 4, 1, 0)
