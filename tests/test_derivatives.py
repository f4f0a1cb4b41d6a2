"""A gradient written by hand refuses to be differentiated, and is otherwise left alone."""

import pytest
import torch

from llm_course.derivatives import first_derivative_only


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    @first_derivative_only
    def backward(ctx, slope):
        return 3 * ctx.saved_tensors[0] ** 2 * slope


def test_the_first_derivative_is_as_it_was():
    x = torch.linspace(-2, 2, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Cube.apply, (x,))


@pytest.mark.parametrize("slope", [torch.ones(2), torch.ones(2, requires_grad=True)])
def test_a_graph_of_it_is_refused_whatever_comes_in(slope):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="create_graph: expected False, got True"):
        torch.autograd.grad(Cube.apply(x), x, slope, create_graph=True)
