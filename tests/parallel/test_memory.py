import torch
from torch import nn

from llm_course.parallel.memory import RankMemory, bytes_of, optimizer_bytes, saved_bytes


def test_views_count_once_and_what_was_given_back_counts_nothing():
    whole = torch.zeros(6, dtype=torch.float64)
    assert bytes_of([whole, whole[2:], whole.view(2, 3), None]) == 48
    assert bytes_of([whole[:1]]) == 48, "a view keeps the whole piece of memory"
    whole.untyped_storage().resize_(0)
    assert bytes_of([whole]) == 0


def test_adam_keeps_two_moments():
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    assert optimizer_bytes(optimizer) == 0
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    assert optimizer_bytes(optimizer) == 2 * 4 * 8


def test_what_a_layer_keeps_for_its_backward_pass():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)).double()
    x = torch.zeros(5, 4, dtype=torch.float64)
    with saved_bytes(model.parameters()) as saved:
        model(x)
        # The input, and relu's result, which the second layer saves as well; no weight.
        assert saved.total == 5 * 4 * 8 + 5 * 8 * 8
    with torch.no_grad(), saved_bytes(model.parameters()) as saved:
        model(x)
        assert saved.total == 0


def test_the_gradient_is_what_it_is_without_counting():
    layer, x = nn.Linear(4, 3).double(), torch.randn(2, 4, dtype=torch.float64)
    with saved_bytes(layer.parameters()):
        y = layer(x).square().sum()
    y.backward()
    found, layer.weight.grad = layer.weight.grad, None
    layer(x).square().sum().backward()
    assert torch.equal(found, layer.weight.grad)


def test_the_record():
    memory = RankMemory(parameters=1, gradients=2, optimizer=3, activations=4)
    assert (memory.parameters, memory.activations) == (1, 4)
