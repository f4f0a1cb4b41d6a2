"""The mixture of experts against Mixtral's block with copied weights, and a loop over tokens."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import MixtralConfig
from transformers.models.mixtral.modeling_mixtral import MixtralSparseMoeBlock

from llm_course.model.block import Block
from llm_course.model.config import DecoderConfig
from llm_course.model.masks import causal_mask
from llm_course.model.mixture_of_experts import MixtureOfExperts, mixture_of_experts
from llm_course.shapes import ShapeError

D_MODEL, D_FF, N_EXPERTS = 6, 10, 4


def inputs(batch: int = 3, time: int = 5, seed: int = 0) -> list[Tensor]:
    """x, w_router, w_gate, w_up, w_down, in fp64."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [
        (batch, time, D_MODEL), (N_EXPERTS, D_MODEL), (N_EXPERTS, D_FF, D_MODEL),
        (N_EXPERTS, D_FF, D_MODEL), (N_EXPERTS, D_MODEL, D_FF),
    ]  # fmt: skip
    return [torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes]


def slow_mixture(x, w_router, w_gate, w_up, w_down, top_k, capacity=None, renormalise=True):
    """One token at a time; first choices of all tokens find their place before second ones."""
    tokens = x.flatten(0, 1)
    probabilities = [torch.softmax(w_router @ token, dim=0) for token in tokens]
    ranked = [sorted(range(N_EXPERTS), key=lambda e, p=p: -p[e].item()) for p in probabilities]
    visits, load, dropped = [[] for _ in tokens], [0] * N_EXPERTS, 0
    for k in range(top_k):
        for n, order in enumerate(ranked):
            if capacity is None or load[order[k]] < capacity:
                load[order[k]] += 1
                visits[n].append(order[k])
            else:
                dropped += 1
    y = []
    for token, p, order, visited in zip(tokens, probabilities, ranked, visits, strict=True):
        total = sum(p[e] for e in order[:top_k]) if renormalise else 1.0
        outputs = [
            p[e] / total * (w_down[e] @ (F.silu(w_gate[e] @ token) * (w_up[e] @ token)))
            for e in visited
        ]
        y.append(sum(outputs, torch.zeros_like(token)))
    return torch.stack(y).reshape(x.shape), dropped


def with_gradients(function, tensors: list[Tensor]) -> list[Tensor]:
    tensors = [tensor.clone().requires_grad_() for tensor in tensors]
    y = function(*tensors)
    slope = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).reshape(y.shape)
    return [y, *torch.autograd.grad((y * slope).sum(), tensors)]


NAMES = ("output", "dx", "dW_router", "dW_gate", "dW_up", "dW_down")


@pytest.mark.parametrize("top_k", [1, 2, 4])
@pytest.mark.parametrize("factor", [None, 1.0, 0.5])
@pytest.mark.parametrize("scale", [True, False])
def test_equals_a_loop_over_tokens_forward_and_gradients(top_k, factor, scale):
    capacity = None if factor is None else -(-int(15 * top_k * factor * 2) // (2 * N_EXPERTS))
    ours = with_gradients(lambda *t: mixture_of_experts(*t, top_k, factor, scale)[0], inputs())
    slow = with_gradients(lambda *t: slow_mixture(*t, top_k, capacity, scale)[0], inputs())
    for name, got, expected in zip(NAMES, ours, slow, strict=True):
        torch.testing.assert_close(
            got, expected, atol=1e-12, rtol=0, msg=lambda m, n=name: f"{n}: {m}"
        )
    n_dropped = mixture_of_experts(*inputs(), top_k, factor)[1].n_dropped
    assert n_dropped == slow_mixture(*inputs(), top_k, capacity)[1]
    assert (n_dropped > 0) == (factor == 0.5 or (factor == 1.0 and top_k < 4)), n_dropped


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_equals_mixtral_with_copied_weights_forward_and_gradients(top_k):
    torch.manual_seed(0)
    config = MixtralConfig(
        hidden_size=D_MODEL, intermediate_size=D_FF, num_local_experts=N_EXPERTS,
        num_experts_per_tok=top_k, experts_implementation="eager",
    )  # fmt: skip
    theirs = MixtralSparseMoeBlock(config)
    x, router, gate, up, down = (0.5 * tensor.float() for tensor in inputs())
    with torch.no_grad():
        theirs.gate.weight.copy_(router)
        theirs.experts.gate_up_proj.copy_(torch.cat([gate, up], dim=1))
        theirs.experts.down_proj.copy_(down)
    ours = MixtureOfExperts(D_MODEL, D_FF, N_EXPERTS, top_k)
    ours.load_state_dict({"router.weight": router, "gate": gate, "up": up, "down": down})
    sides = []
    for layer in (ours, theirs):
        given = x.clone().requires_grad_()
        y = layer(given)
        (y * torch.linspace(-1, 1, y.numel()).reshape(y.shape)).sum().backward()
        sides.append([y, given.grad])
    sides[0] += [p.grad for p in (ours.router.weight, ours.gate, ours.up, ours.down)]
    their_gate, their_up = theirs.experts.gate_up_proj.grad.chunk(2, dim=1)
    sides[1] += [theirs.gate.weight.grad, their_gate, their_up, theirs.experts.down_proj.grad]
    for name, got, expected in zip(NAMES, *sides, strict=True):
        # With one expert its weight is always 1, and the router has no gradient.
        assert expected.abs().max() > 0.05 or (top_k, name) == (1, "dW_router")
        torch.testing.assert_close(
            got, expected, atol=1e-5, rtol=0, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.mark.parametrize("factor", [None, 0.75])
def test_gradcheck(factor):
    small = [tensor * 0.3 for tensor in inputs(batch=1, time=4)]
    tensors = [tensor.requires_grad_() for tensor in small]
    assert torch.autograd.gradcheck(lambda *t: mixture_of_experts(*t, 2, factor)[0], tensors)


def test_a_dropped_token_gives_zeros_and_is_counted():
    x, router, *experts = inputs(batch=1, time=6)
    x[:, 1:] = x[:, :1]  # all tokens want the same expert, which has room for three
    y, routing = mixture_of_experts(x, router, *experts, top_k=1, capacity_factor=2.0)
    assert routing.kept.flatten().tolist() == [True] * 3 + [False] * 3
    assert routing.n_dropped == 3
    assert y[0, :3].abs().amin() > 0 and y[0, 3:].abs().max() == 0


def test_first_choices_are_served_before_second_ones():
    x = torch.tensor([[[1.0, 2.0], [2.0, 1.0]]]).double()  # the later token wants expert 0 most
    eye = torch.eye(2).double()
    stacked = eye.expand(2, 2, 2)
    _, routing = mixture_of_experts(x, eye, stacked, stacked, stacked, 2, capacity_factor=0.5)
    assert routing.experts.tolist() == [[1, 0], [0, 1]]
    assert routing.kept.tolist() == [[True, False], [True, False]]


def test_without_capacity_positions_do_not_mix():
    x, *weights = inputs(batch=1)
    changed = x.clone()
    changed[:, 2] += 1
    before, after = (mixture_of_experts(t, *weights, top_k=2)[0] for t in (x, changed))
    moved = (after - before).abs().amax(dim=-1)[0]
    assert moved[2] > 0.1
    assert moved[[0, 1, 3, 4]].max() < 1e-12


def test_it_takes_the_place_of_a_feed_forward_layer():
    torch.manual_seed(0)
    config = DecoderConfig(
        vocab_size=5, context_length=8, d_model=D_MODEL, n_layers=1, n_heads=1, d_ff=D_FF
    )
    block = Block(config)
    block.feed_forward = MixtureOfExperts(D_MODEL, D_FF, N_EXPERTS)
    x = torch.randn(2, 4, D_MODEL)
    y = block(x, causal_mask(4))
    assert y.shape == x.shape
    routing = block.feed_forward.routing
    assert routing.experts.shape == (8, 2) and routing.logits.shape == (8, N_EXPERTS)
    y.sum().backward()
    assert all(p.grad is not None for p in block.parameters())


def test_a_layer_that_was_called_can_be_copied():
    torch.manual_seed(0)
    layer, x = MixtureOfExperts(D_MODEL, D_FF, N_EXPERTS), torch.randn(1, 3, D_MODEL)
    y = layer(x)
    twin = copy.deepcopy(layer)
    assert twin.routing is None and layer.routing is not None
    assert torch.equal(twin(x), y)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_in_its_dtype(dtype):
    narrow = mixture_of_experts(*(t.to(dtype) for t in inputs()), top_k=4)[0]  # all: no ties
    wide = mixture_of_experts(*inputs(), top_k=4)[0]
    assert narrow.dtype == dtype
    assert (narrow.double() - wide).abs().max() < 0.05 * wide.abs().max()


def test_an_empty_batch_stays_empty():
    x, *weights = inputs(batch=0)
    for factor in (None, 1.0):
        y, routing = mixture_of_experts(x, *weights, top_k=2, capacity_factor=factor)
        assert y.shape == (0, 5, D_MODEL) and routing.n_dropped == 0


@pytest.mark.parametrize(
    ("position", "shape", "message"),
    [
        (0, (5, 6), "x: expected 3 axes (b t d), got shape (5, 6)."),
        (1, (4, 5), "w_router: expected d=6, got 5 in shape (4, 5) (e d)."),
        (2, (3, 10, 6), "w_gate: expected e=4, got 3 in shape (3, 10, 6) (e f d)."),
        (3, (4, 6, 10), "w_up: expected f=10, got 6 in shape (4, 6, 10) (e f d)."),
        (4, (4, 7, 10), "w_down: expected d=6, got 7 in shape (4, 7, 10) (e d f)."),
    ],
)
def test_shapes_that_do_not_fit(position, shape, message):
    tensors = inputs()
    tensors[position] = torch.zeros(shape)
    with pytest.raises(ShapeError) as caught:
        mixture_of_experts(*tensors, top_k=2)
    assert str(caught.value) == message
