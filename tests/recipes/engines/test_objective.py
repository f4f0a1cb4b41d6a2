"""The loss as a forward pass."""

import torch
from torch import nn

from llm_course.recipes.engines.objective import Objective, through


def test_it_is_the_loss_and_keeps_the_weights_of_the_model():
    model = nn.Linear(3, 2)
    objective = Objective(model)
    called = []
    objective.register_forward_hook(lambda *_: called.append(True))

    def loss(model, tokens, targets):
        return (model(tokens) - targets).square().mean()

    tokens, targets = torch.ones(4, 3), torch.zeros(4, 2)
    found = through(loss)(objective, tokens, targets)
    assert found.item() == loss(model, tokens, targets).item() and called == [True]
    assert list(objective.parameters()) == list(model.parameters())
