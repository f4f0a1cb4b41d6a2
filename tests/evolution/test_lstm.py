"""The LSTM against PyTorch's, with the same weights: states, and gradients of all of them."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from llm_course.evolution.lstm import LSTMLM, LSTMLayer, lstm_step
from llm_course.shapes import ShapeError


def pair(d_model: int, d_hidden: int) -> tuple[LSTMLayer, nn.LSTM]:
    generator = torch.Generator().manual_seed(0)
    ours = LSTMLayer(d_model, d_hidden, generator).double()
    theirs = nn.LSTM(d_model, d_hidden, batch_first=True).double()
    with torch.no_grad():
        nn.init.normal_(ours.bias, generator=generator)
        theirs.weight_ih_l0.copy_(ours.weight_input)
        theirs.weight_hh_l0.copy_(ours.weight_hidden)
        theirs.bias_ih_l0.copy_(ours.bias)
        theirs.bias_hh_l0.zero_()
    return ours, theirs


@pytest.mark.parametrize(("batch", "time", "d_model", "d_hidden"), [(2, 5, 3, 4), (1, 1, 1, 1)])
def test_states_and_gradients_equal_torchs(batch, time, d_model, d_hidden):
    ours, theirs = pair(d_model, d_hidden)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(batch, time, d_model, generator=generator, dtype=torch.float64)
    state = torch.randn(2, batch, d_hidden, generator=generator, dtype=torch.float64)
    got, (hidden, cell) = ours(x, tuple(state))
    expected, (their_hidden, their_cell) = theirs(x, (state[:1], state[1:]))
    torch.testing.assert_close(got, expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(hidden, their_hidden[0], atol=1e-12, rtol=0)
    torch.testing.assert_close(cell, their_cell[0], atol=1e-12, rtol=0)
    (got.square().sum() + cell.sum()).backward()
    (expected.square().sum() + their_cell.sum()).backward()
    for mine, other in (
        (ours.weight_input, theirs.weight_ih_l0),
        (ours.weight_hidden, theirs.weight_hh_l0),
        (ours.bias, theirs.bias_ih_l0),
    ):
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-10, rtol=0)


def test_a_text_in_parts_is_the_text():
    model = LSTMLM(6, d_model=5, n_layers=2, generator=torch.Generator().manual_seed(0)).double()
    tokens = torch.randint(6, (2, 9), generator=torch.Generator().manual_seed(1))
    whole, _ = model(tokens)
    first, states = model(tokens[:, :4])
    second, _ = model(tokens[:, 4:], states)
    torch.testing.assert_close(torch.cat((first, second), dim=1), whole, atol=1e-12, rtol=0)


def test_it_does_not_see_the_future():
    model = LSTMLM(6, d_model=5, generator=torch.Generator().manual_seed(0))
    tokens = torch.tensor([[1, 2, 3, 4]])
    other = torch.tensor([[1, 2, 3, 5]])
    assert torch.equal(model(tokens)[0][:, :3], model(other)[0][:, :3])


def test_it_remembers_the_first_token_over_ten_steps():
    """The label is the first token, of four kinds; what follows it says nothing."""
    generator = torch.Generator().manual_seed(0)
    model = LSTMLM(8, d_model=16, generator=generator)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(200):
        tokens = torch.randint(4, 8, (32, 10), generator=generator)
        tokens[:, 0] -= 4
        loss = functional.cross_entropy(model(tokens)[0][:, -1], tokens[:, 0])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3


def test_what_does_not_fit_is_refused():
    zeros = torch.zeros(1, 2), torch.zeros(1, 2)
    with pytest.raises(ShapeError, match="weight_input"):
        lstm_step(torch.zeros(1, 3), zeros, torch.zeros(6, 3), torch.zeros(6, 2), torch.zeros(6))
    with pytest.raises(ShapeError, match="x: expected"):
        lstm_step(torch.zeros(2, 3), zeros, torch.zeros(8, 3), torch.zeros(8, 2), torch.zeros(8))
    with pytest.raises(ValueError, match="n_layers: expected 1 or more, got 0"):
        LSTMLM(5, 4, n_layers=0)
