"""Bengio's model against its equation, written with sums."""

import math

import pytest
import torch
from torch.nn import functional

from llm_course.evolution.neural_lm import NeuralLM
from llm_course.shapes import ShapeError


def model(direct: bool = True) -> NeuralLM:
    generator = torch.Generator().manual_seed(0)
    made = NeuralLM(7, 4, 3, 5, direct=direct, generator=generator).double()
    for weight in made.parameters():
        torch.nn.init.normal_(weight, generator=generator)
    return made


@pytest.mark.parametrize("direct", [True, False])
@torch.no_grad()
def test_against_equation_1(direct):
    lm, tokens = model(direct), [3, 0, 6]
    x = [value for token in tokens for value in lm.embedding[token].tolist()]
    hidden = [
        math.tanh(d + sum(h * v for h, v in zip(row, x, strict=True)))
        for row, d in zip(lm.hidden.weight.tolist(), lm.hidden.bias.tolist(), strict=True)
    ]
    expected = [
        b + sum(u * a for u, a in zip(row, hidden, strict=True))
        for row, b in zip(lm.output.weight.tolist(), lm.output.bias.tolist(), strict=True)
    ]
    if direct:
        for place, row in enumerate(lm.direct.weight.tolist()):
            expected[place] += sum(w * v for w, v in zip(row, x, strict=True))
    assert lm(torch.tensor([tokens]))[0].tolist() == pytest.approx(expected, abs=1e-12)


def test_it_learns_what_follows_what():
    lm = NeuralLM(7, 3, 4, 8, generator=torch.Generator().manual_seed(1))
    tokens = torch.tensor([[a, b] for a in range(7) for b in range(7)])
    targets = (tokens[:, 0] + 2 * tokens[:, 1]) % 7
    optimizer = torch.optim.Adam(lm.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        loss = functional.cross_entropy(lm(tokens), targets)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2 < math.log(7)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="order: expected 2 or more, got 1"):
        NeuralLM(5, 1, 2, 2)
    with pytest.raises(ShapeError, match="tokens: expected t=3, got 2"):
        model()(torch.zeros(1, 2, dtype=torch.long))
