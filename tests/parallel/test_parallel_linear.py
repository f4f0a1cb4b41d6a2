import pytest
import torch

from llm_course.parallel.parallel_linear import (
    column_parallel,
    column_parallel_backward,
    parallel_feed_forward,
    row_parallel,
    row_parallel_backward,
)
from llm_course.shapes import ShapeError


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("lead", [(), (4,), (2, 4)])
def test_by_columns_equals_the_whole_product_and_its_gradients(n, lead):
    x, weight, slope = drawn(*lead, 5), drawn(5, 6, seed=1), drawn(*lead, 6, seed=2).detach()
    (x @ weight).backward(slope)
    parts = [part.detach() for part in weight.chunk(n, dim=1)]
    outputs = column_parallel(x.detach(), parts)
    torch.testing.assert_close(torch.cat(outputs, dim=-1), (x @ weight).detach())
    grad_x, grads = column_parallel_backward(x.detach(), parts, list(slope.chunk(n, dim=-1)))
    torch.testing.assert_close(grad_x, x.grad)
    torch.testing.assert_close(torch.cat(grads, dim=1), weight.grad)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("lead", [(), (4,), (2, 4)])
def test_by_rows_equals_the_whole_product_and_its_gradients(n, lead):
    x, weight, slope = drawn(*lead, 6), drawn(6, 5, seed=1), drawn(*lead, 5, seed=2).detach()
    (x @ weight).backward(slope)
    xs = [part.detach() for part in x.chunk(n, dim=-1)]
    parts = [part.detach() for part in weight.chunk(n, dim=0)]
    torch.testing.assert_close(row_parallel(xs, parts), (x @ weight).detach())
    grad_xs, grads = row_parallel_backward(xs, parts, slope)
    torch.testing.assert_close(torch.cat(grad_xs, dim=-1), x.grad)
    torch.testing.assert_close(torch.cat(grads, dim=0), weight.grad)


def test_columns_then_rows_need_one_sum_whatever_stands_between():
    x, a, b = drawn(3, 4).detach(), drawn(4, 6, seed=1).detach(), drawn(6, 4, seed=2).detach()
    hidden = [y.relu() for y in column_parallel(x, list(a.chunk(2, dim=1)))]
    found = row_parallel(hidden, list(b.chunk(2, dim=0)))
    torch.testing.assert_close(found, (x @ a).relu() @ b)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("lead", [(), (4,), (2, 4)])
def test_a_feed_forward_layer_equals_autograd_on_the_whole(n, lead):
    x, a, b = drawn(*lead, 5), drawn(5, 6, seed=1), drawn(6, 3, seed=2)
    slope = drawn(*lead, 3, seed=3).detach()
    whole = (x @ a).relu() @ b
    whole.backward(slope)
    columns, rows = list(a.detach().chunk(n, dim=1)), list(b.detach().chunk(n, dim=0))
    y, grad_x, grad_columns, grad_rows = parallel_feed_forward(x.detach(), columns, rows, slope)
    torch.testing.assert_close(y, whole.detach())
    torch.testing.assert_close(grad_x, x.grad)
    torch.testing.assert_close(torch.cat(grad_columns, dim=1), a.grad)
    torch.testing.assert_close(torch.cat(grad_rows, dim=0), b.grad)


def test_rows_then_a_bend_is_another_function():
    # Why the first matrix goes by columns: relu(X1 A1 + X2 A2) is not relu(X1 A1) + relu(X2 A2).
    x, a = drawn(3, 4).detach(), drawn(4, 6, seed=1).detach()
    terms = [(part @ rows).relu() for part, rows in zip(x.chunk(2, -1), a.chunk(2, 0), strict=True)]
    assert not torch.allclose(sum(terms), (x @ a).relu())


def test_errors():
    x = torch.zeros(2, 4)
    with pytest.raises(ShapeError, match=r"weights\[1\]: expected d=4, got 3"):
        column_parallel(x, [torch.zeros(4, 2), torch.zeros(3, 2)])
    with pytest.raises(ShapeError, match=r"grad_outputs\[0\]: expected f=2, got 3"):
        column_parallel_backward(x, [torch.zeros(4, 2)], [torch.zeros(2, 3)])
    with pytest.raises(ShapeError, match="leading axes"):
        column_parallel_backward(x, [torch.zeros(4, 2)], [torch.zeros(3, 2)])
    with pytest.raises(ShapeError, match=r"weights\[0\]: expected f=4, got 2"):
        row_parallel([x], [torch.zeros(2, 2)])
    with pytest.raises(ShapeError, match="expected d=3"):
        row_parallel_backward([x], [torch.zeros(4, 2)], torch.zeros(2, 3))
    with pytest.raises(ValueError, match="xs: expected one for each of 2 ranks, got 1"):
        row_parallel([x], [torch.zeros(4, 2)] * 2)
    with pytest.raises(ValueError, match="weights: expected one for each rank, got none"):
        column_parallel(x, [])
    with pytest.raises(ValueError, match="rows: expected one for each of 2 ranks, got 1"):
        parallel_feed_forward(x, [torch.zeros(4, 2)] * 2, [torch.zeros(2, 4)], x)
    with pytest.raises(ShapeError, match=r"weights\[0\]: expected f=2, got 3"):
        parallel_feed_forward(x, [torch.zeros(4, 2)], [torch.zeros(3, 4)], x)
