"""A matrix product on several ranks, by columns and by rows, forward and backward.

The ranks are places in a list. ``Y = X A`` with the columns of ``A`` dealt out gives each rank its
columns of ``Y``: ``[Y1, Y2] = [X A1, X A2]``. With the rows of ``B`` dealt out, a rank that has its
columns of ``Y`` gets a term of the sum: ``Y B = Y1 B1 + Y2 B2``. One after the other they need a
single sum in the middle of nothing: columns first, then rows.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from llm_course.shapes import ShapeError, check_shape


def column_parallel(x: Tensor, weights: Sequence[Tensor]) -> list[Tensor]:
    """Each rank's columns of ``x @ A``, where ``A = [A1, A2, ...]``.

    Nothing is sent: every rank has ``x``.

    Args:
        x: the input, the same on every rank.
        weights: the columns that each rank has.

    Shapes:
        x ``... d``; weights ``d f/n`` each; returns ``... f/n`` each.

    Raises:
        ShapeError: the sizes do not fit.
        ValueError: there is no rank.

    Source:
        Shoeybi et al. 2019, arXiv:1909.08053, section 3, eq. 3.

    >>> x = torch.tensor([[1.0, 2.0]])
    >>> weights = [torch.tensor([[1.0], [0.0]]), torch.tensor([[0.0], [1.0]])]
    >>> [y.tolist() for y in column_parallel(x, weights)]
    [[[1.0]], [[2.0]]]
    """
    for rank, weight in enumerate(_some(weights)):
        check_shape(weight, "d f", f"weights[{rank}]", d=x.shape[-1])
    return [x @ weight for weight in weights]


def column_parallel_backward(
    x: Tensor, weights: Sequence[Tensor], grad_outputs: Sequence[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """The gradients of ``column_parallel``: of the input, and of each rank's columns.

    ``dA_r = Xᵀ dY_r`` stays on its rank. Every rank used all of ``x``, so its gradient is a sum
    over the ranks, an **all-reduce**: ``dX = sum_r dY_r A_rᵀ``.

    Shapes:
        x ``... d``; weights ``d f/n`` each; grad_outputs ``... f/n`` each; returns ``... d`` and
        ``d f/n`` each.

    Raises:
        ShapeError: the sizes do not fit.
        ValueError: there is no rank.

    Source:
        Shoeybi et al. 2019, arXiv:1909.08053, section 3 (the operator f).

    >>> x, weights = torch.tensor([[1.0, 2.0]]), [torch.eye(2), 10 * torch.eye(2)]
    >>> grad_x, _ = column_parallel_backward(x, weights, [torch.ones(1, 2), torch.ones(1, 2)])
    >>> grad_x.tolist()
    [[11.0, 11.0]]
    """
    _same_count(weights, grad_outputs, "grad_outputs")
    for rank, (weight, grad) in enumerate(zip(weights, grad_outputs, strict=True)):
        check_shape(weight, "d f", f"weights[{rank}]", d=x.shape[-1])
        check_shape(grad, "... f", f"grad_outputs[{rank}]", f=weight.shape[1])
    grad_x = sum(grad @ weight.T for weight, grad in zip(weights, grad_outputs, strict=True))
    return grad_x, [_outer(x, grad) for grad in grad_outputs]


def row_parallel(xs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    """``Y = sum_r X_r B_r``: each rank's term, then an **all-reduce**.

    Args:
        xs: the features that each rank has, as ``column_parallel`` left them.
        weights: the rows that belong to them.

    Shapes:
        xs ``... f/n`` each; weights ``f/n d`` each; returns ``... d``.

    Raises:
        ShapeError: the sizes do not fit.
        ValueError: there is no rank.

    Source:
        Shoeybi et al. 2019, arXiv:1909.08053, section 3 (the operator g).

    >>> xs = [torch.tensor([[1.0]]), torch.tensor([[2.0]])]
    >>> row_parallel(xs, [torch.tensor([[3.0]]), torch.tensor([[10.0]])]).tolist()
    [[23.0]]
    """
    _same_count(weights, xs, "xs")
    for rank, (x, weight) in enumerate(zip(xs, weights, strict=True)):
        check_shape(weight, "f d", f"weights[{rank}]", f=x.shape[-1], d=weights[0].shape[-1])
    return sum(x @ weight for x, weight in zip(xs, weights, strict=True))


def row_parallel_backward(
    xs: Sequence[Tensor], weights: Sequence[Tensor], grad_output: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """The gradients of ``row_parallel``, of each rank's input and of its rows.

    ``dX_r = dY B_rᵀ`` and ``dB_r = X_rᵀ dY``. Nothing is sent: the gradient of a sum goes to each
    of its terms as it is.

    Shapes:
        xs ``... f/n`` each; weights ``f/n d`` each; grad_output ``... d``; returns ``... f/n`` each
        and ``f/n d`` each.

    Raises:
        ShapeError: the sizes do not fit.
        ValueError: there is no rank.

    >>> xs, weights = [torch.tensor([[1.0]]), torch.tensor([[2.0]])], [torch.ones(1, 1)] * 2
    >>> _, grad_weights = row_parallel_backward(xs, weights, torch.tensor([[5.0]]))
    >>> [grad.tolist() for grad in grad_weights]
    [[[5.0]], [[10.0]]]
    """
    _same_count(weights, xs, "xs")
    for rank, (x, weight) in enumerate(zip(xs, weights, strict=True)):
        check_shape(weight, "f d", f"weights[{rank}]", f=x.shape[-1], d=grad_output.shape[-1])
    grad_xs = [grad_output @ weight.T for weight in weights]
    return grad_xs, [_outer(x, grad_output) for x in xs]


def parallel_feed_forward(
    x: Tensor, columns: Sequence[Tensor], rows: Sequence[Tensor], grad_output: Tensor
) -> tuple[Tensor, Tensor, list[Tensor], list[Tensor]]:
    """Two layers with a ReLU between, ``Y = sum_r relu(X A_r) B_r``, forward and backward.

    By columns, then by rows: the ReLU acts on each number alone, so each rank applies it to the
    hidden features that it has. One sum forward (of ``Y``) and one backward (of ``dX``) are all
    that is sent.

    Args:
        x: the input, the same on every rank.
        columns: each rank's columns of ``A``.
        rows: the rows of ``B`` that belong to them.
        grad_output: the gradient of ``Y``, the same on every rank.

    Shapes:
        x ``... d``; columns ``d f/n`` each; rows ``f/n e`` each; grad_output ``... e``; returns
        ``Y`` of ``... e``, ``dX`` of ``... d``, ``d f/n`` each and ``f/n e`` each.

    Raises:
        ShapeError: the sizes do not fit.
        ValueError: there is no rank, or not as many rows as columns.

    Source:
        Shoeybi et al. 2019, arXiv:1909.08053, section 3, figure 3a (there with a GeLU).

    >>> x, columns = torch.tensor([[1.0]]), [torch.tensor([[2.0]]), torch.tensor([[-1.0]])]
    >>> rows = [torch.tensor([[3.0]]), torch.tensor([[5.0]])]
    >>> y, grad_x, *_ = parallel_feed_forward(x, columns, rows, torch.ones(1, 1))
    >>> y.item(), grad_x.item()  # the second rank's feature is negative: relu(-1) = 0
    (6.0, 6.0)
    """
    _same_count(columns, rows, "rows")
    hidden = [h.relu() for h in column_parallel(x, columns)]
    y = row_parallel(hidden, rows)
    grad_hidden, grad_rows = row_parallel_backward(hidden, rows, grad_output)
    grad_before = [grad * (h > 0) for grad, h in zip(grad_hidden, hidden, strict=True)]
    grad_x, grad_columns = column_parallel_backward(x, columns, grad_before)
    return y, grad_x, grad_columns, grad_rows


def _outer(x: Tensor, grad: Tensor) -> Tensor:
    """``Xᵀ dY``, summed over all leading axes."""
    if x.shape[:-1] != grad.shape[:-1]:
        raise ShapeError(
            f"gradient: expected leading axes {tuple(x.shape[:-1])}, got {tuple(grad.shape[:-1])}."
        )
    return x.flatten(0, -2).T @ grad.flatten(0, -2) if x.dim() > 1 else torch.outer(x, grad)


def _some(weights: Sequence[Tensor]) -> Sequence[Tensor]:
    if len(weights) == 0:
        raise ValueError("weights: expected one for each rank, got none.")
    return weights


def _same_count(weights: Sequence[Tensor], others: Sequence[Tensor], name: str) -> None:
    if len(_some(weights)) != len(others):
        raise ValueError(f"{name}: expected one for each of {len(weights)} ranks, "
                         f"got {len(others)}.")  # fmt: skip
