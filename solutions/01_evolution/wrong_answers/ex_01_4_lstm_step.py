"""Plausible wrong answers to ex-01-4, a step of an LSTM."""


def _gates(x, hidden, weight_input, weight_hidden, bias):
    return (x @ weight_input.T + hidden @ weight_hidden.T + bias).chunk(4, dim=-1)


def gates_in_another_order(x, state, weight_input, weight_hidden, bias):
    """The forget gate is read first."""
    hidden, cell = state
    f, i, g, o = _gates(x, hidden, weight_input, weight_hidden, bias)
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    return o.sigmoid() * cell.tanh(), cell


def old_cell_shown(x, state, weight_input, weight_hidden, bias):
    """The hidden state is made from the cell before the step."""
    hidden, cell = state
    i, f, g, o = _gates(x, hidden, weight_input, weight_hidden, bias)
    return o.sigmoid() * cell.tanh(), f.sigmoid() * cell + i.sigmoid() * g.tanh()


def candidate_by_a_sigmoid(x, state, weight_input, weight_hidden, bias):
    """The candidate goes through a sigmoid and can never be negative."""
    hidden, cell = state
    i, f, g, o = _gates(x, hidden, weight_input, weight_hidden, bias)
    cell = f.sigmoid() * cell + i.sigmoid() * g.sigmoid()
    return o.sigmoid() * cell.tanh(), cell


def cell_shown_raw(x, state, weight_input, weight_hidden, bias):
    """The cell is shown without its tanh."""
    hidden, cell = state
    i, f, g, o = _gates(x, hidden, weight_input, weight_hidden, bias)
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    return o.sigmoid() * cell, cell


def coupled_gates(x, state, weight_input, weight_hidden, bias):
    """What is not forgotten is what is not written: one gate for both, as in a GRU."""
    hidden, cell = state
    _, f, g, o = _gates(x, hidden, weight_input, weight_hidden, bias)
    cell = f.sigmoid() * cell + (1 - f.sigmoid()) * g.tanh()
    return o.sigmoid() * cell.tanh(), cell


def cell_and_hidden_exchanged(x, state, weight_input, weight_hidden, bias):
    """The pair comes back in the wrong order."""
    hidden, cell = state
    i, f, g, o = _gates(x, hidden, weight_input, weight_hidden, bias)
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    return cell, o.sigmoid() * cell.tanh()
