"""Plausible wrong answers to ex-05-9, a feed-forward layer by columns, then by rows."""


def _parts(x, columns, rows, grad_output):
    """The right numbers, for answers that go wrong in one place alone."""
    hidden = [(x @ a).relu() for a in columns]
    y = sum(h @ b for h, b in zip(hidden, rows, strict=True))
    before = [(grad_output @ b.T) * (h > 0) for h, b in zip(hidden, rows, strict=True)]
    grad_x = sum(grad @ a.T for grad, a in zip(before, columns, strict=True))
    return hidden, y, before, grad_x


def output_of_the_last_rank(x, columns, rows, grad_output):
    """The forward all-reduce is missing: each rank would have its own term alone."""
    hidden, _, before, grad_x = _parts(x, columns, rows, grad_output)
    y = hidden[-1] @ rows[-1]
    return y, grad_x, [x.T @ grad for grad in before], [h.T @ grad_output for h in hidden]


def input_gradient_of_one_rank(x, columns, rows, grad_output):
    """The backward all-reduce is missing, as all ranks had the same input."""
    hidden, y, before, _ = _parts(x, columns, rows, grad_output)
    grad_x = before[0] @ columns[0].T
    return y, grad_x, [x.T @ grad for grad in before], [h.T @ grad_output for h in hidden]


def mean_over_the_ranks(x, columns, rows, grad_output):
    """The input's gradient is averaged, as data parallelism does with weights."""
    hidden, y, before, grad_x = _parts(x, columns, rows, grad_output)
    grad_x = grad_x / len(columns)
    return y, grad_x, [x.T @ grad for grad in before], [h.T @ grad_output for h in hidden]


def relu_without_a_gradient(x, columns, rows, grad_output):
    """The backward pass forgets the relu: closed features pass a gradient on."""
    hidden, y, _, _ = _parts(x, columns, rows, grad_output)
    before = [grad_output @ b.T for b in rows]
    grad_x = sum(grad @ a.T for grad, a in zip(before, columns, strict=True))
    return y, grad_x, [x.T @ grad for grad in before], [h.T @ grad_output for h in hidden]


def relu_after_the_sum(x, columns, rows, grad_output):
    """The relu stands after the second matrix in place of between the two."""
    hidden = [x @ a for a in columns]
    y = sum(h @ b for h, b in zip(hidden, rows, strict=True))
    grad = grad_output * (y > 0)
    before = [grad @ b.T for b in rows]
    grad_x = sum(part @ a.T for part, a in zip(before, columns, strict=True))
    return y.relu(), grad_x, [x.T @ part for part in before], [h.T @ grad for h in hidden]


def weight_gradients_shared(x, columns, rows, grad_output):
    """The weights' gradients are summed over the ranks too, as if they were copies."""
    hidden, y, before, grad_x = _parts(x, columns, rows, grad_output)
    grad_columns = [x.T @ grad for grad in before]
    grad_rows = [h.T @ grad_output for h in hidden]
    if len({part.shape for part in grad_columns}) == 1:
        grad_columns = [sum(grad_columns)] * len(columns)
        grad_rows = [sum(grad_rows)] * len(rows)
    return y, grad_x, grad_columns, grad_rows


def open_at_zero(x, columns, rows, grad_output):
    """At exactly 0 the relu lets the gradient through."""
    hidden, y, _, _ = _parts(x, columns, rows, grad_output)
    before = [(grad_output @ b.T) * (x @ a >= 0) for a, b in zip(columns, rows, strict=True)]
    grad_x = sum(grad @ a.T for grad, a in zip(before, columns, strict=True))
    return y, grad_x, [x.T @ grad for grad in before], [h.T @ grad_output for h in hidden]
