"""Activations and the feed-forward layer against PyTorch's own."""

import pytest
import torch
import torch.nn.functional as F

from llm_course.model.feed_forward import (
    ACTIVATIONS,
    GATED,
    FeedForward,
    feed_forward,
    geglu,
    geglu_tanh,
    gelu,
    gelu_tanh,
    relu,
    swiglu,
    swish,
)
from llm_course.shapes import ShapeError

GRID = torch.linspace(-8, 8, 1001, dtype=torch.float64)
TORCH = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "swish": F.silu,
    "swiglu": F.silu,
    "geglu": F.gelu,
    "geglu_tanh": lambda x: F.gelu(x, approximate="tanh"),
}


def test_gelu_equals_torch():
    torch.testing.assert_close(gelu(GRID), F.gelu(GRID), atol=1e-14, rtol=0)
    torch.testing.assert_close(gelu(GRID.float()), F.gelu(GRID.float()), atol=1e-5, rtol=0)


def test_gelu_tanh_equals_torch():
    torch.testing.assert_close(
        gelu_tanh(GRID), F.gelu(GRID, approximate="tanh"), atol=1e-14, rtol=0
    )


def test_the_approximation_is_close_and_not_the_same():
    gap = (gelu(GRID) - gelu_tanh(GRID)).abs().max()
    assert 1e-4 < gap < 1e-3, f"largest difference of the two GELUs is {gap:.1e}"


def test_relu_and_swish_equal_torch():
    assert torch.equal(relu(GRID), F.relu(GRID))
    torch.testing.assert_close(swish(GRID), F.silu(GRID), atol=1e-14, rtol=0)


@pytest.mark.parametrize(("gated", "name"), [(geglu, "geglu"), (geglu_tanh, "geglu_tanh")])
def test_geglu_equals_torch_and_its_arguments_are_not_interchangeable(gated, name):
    gate, up = GRID, GRID.flip(0) + 0.5
    torch.testing.assert_close(gated(gate, up), TORCH[name](gate) * up, atol=1e-14, rtol=0)
    assert not torch.allclose(gated(gate, up), gated(up, gate))


def test_gates_multiply_element_by_element():
    # The deck writes the Kronecker product, which would have n² elements.
    for name in GATED:
        assert ACTIVATIONS[name](torch.ones(3), torch.ones(3)).shape == (3,)


def test_swiglu_equals_torch_and_its_arguments_are_not_interchangeable():
    gate, up = GRID, GRID.flip(0) + 0.5
    torch.testing.assert_close(swiglu(gate, up), F.silu(gate) * up, atol=1e-14, rtol=0)
    assert not torch.allclose(swiglu(gate, up), swiglu(up, gate))


@pytest.mark.parametrize("activation", [gelu, gelu_tanh, swish])
def test_gradients(activation):
    assert torch.autograd.gradcheck(activation, (GRID[::100].clone().requires_grad_(),))


def test_swiglu_gradients():
    gate, up = GRID[::100].clone().requires_grad_(), GRID[5::100].clone()
    assert torch.autograd.gradcheck(swiglu, (gate[:10], up.requires_grad_()))


@pytest.mark.parametrize("kind", ACTIVATIONS)
@pytest.mark.parametrize("bias", [False, True])
def test_layer_against_its_formula(kind, bias):
    torch.manual_seed(0)
    layer = FeedForward(6, 10, kind, bias)
    x = torch.randn(2, 3, 6)
    up = F.linear(x, layer.up.weight, layer.up.bias)
    if kind in ("swiglu", "geglu", "geglu_tanh"):
        hidden = TORCH[kind](F.linear(x, layer.gate.weight, layer.gate.bias)) * up
    else:
        hidden = TORCH[kind](up)
    expected = F.linear(hidden, layer.down.weight, layer.down.bias)
    torch.testing.assert_close(layer(x), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("kind", "bias", "names"),
    [
        ("gelu", True, {"up.weight", "up.bias", "down.weight", "down.bias"}),
        ("swiglu", False, {"gate.weight", "up.weight", "down.weight"}),
        ("geglu", False, {"gate.weight", "up.weight", "down.weight"}),
        ("relu", False, {"up.weight", "down.weight"}),
    ],
)
def test_names_of_the_weights(kind, bias, names):
    assert FeedForward(6, 10, kind, bias).state_dict().keys() == names


def test_positions_do_not_mix():
    torch.manual_seed(0)
    layer, x = FeedForward(6, 10, "swiglu"), torch.randn(1, 4, 6)
    changed = x.clone()
    changed[:, 2] += 1
    moved = (layer(changed) - layer(x)).abs().amax(dim=-1)[0]
    assert moved[2] > 0
    assert moved[[0, 1, 3]].tolist() == [0, 0, 0]


def test_the_first_formula_equals_torchs_layers_and_gradients():
    generator = torch.Generator().manual_seed(7)
    first, second = torch.nn.Linear(6, 10).double(), torch.nn.Linear(10, 6).double()
    x = torch.randn(2, 5, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    expected = second(torch.relu(first(x)))
    got = feed_forward(x, first.weight.T, first.bias, second.weight.T, second.bias)
    torch.testing.assert_close(got, expected, atol=1e-12, rtol=1e-12)
    theirs, ours = (torch.autograd.grad(y.square().sum(), x)[0] for y in (expected, got))
    torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=1e-12)


def test_matrices_that_do_not_fit_are_refused():
    x, w_1, w_2 = torch.zeros(2, 3), torch.zeros(3, 4), torch.zeros(4, 3)
    with pytest.raises(ShapeError, match="w_2"):
        feed_forward(x, w_1, torch.zeros(4), w_1, torch.zeros(3))
    with pytest.raises(ShapeError, match="b_1"):
        feed_forward(x, w_1, torch.zeros(1), w_2, torch.zeros(3))
