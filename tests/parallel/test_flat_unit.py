import pytest
import torch
from torch import nn

from llm_course.parallel.flat_unit import FlatUnit
from llm_course.parallel.group import Group
from llm_course.parallel.mesh import make_mesh


def counting_layer():
    """Seven numbers, 0 to 6: two ranks pad them to eight, and the cut goes through the weight."""
    layer = nn.Linear(3, 2, bias=False)
    gain = nn.Parameter(torch.tensor([6.0]))
    with torch.no_grad():
        layer.weight.copy_(torch.arange(6.0).view(2, 3))
    return layer, {"weight": layer.weight, "gain": gain}


def shard(keep_whole):
    group = make_mesh(data=2).data
    layer, parameters = counting_layer()
    unit = FlatUnit("layer", parameters, group, keep_whole)
    pieces = {name: piece.detach().clone() for name, piece in unit.pieces}
    there = unit.is_whole, layer.weight.untyped_storage().nbytes()
    for _, piece in unit.pieces:  # an optimizer's step on this rank's pieces
        piece.data += 10 * (group.rank + 1)
    unit.gather() if not unit.is_whole else unit.publish()
    return pieces, there, layer.weight.detach().clone(), parameters["gain"].detach().clone()


@pytest.mark.parametrize("keep_whole", [True, False])
def test_pieces_are_slices_and_their_new_numbers_reach_everybody(two_ranks, keep_whole):
    results = two_ranks.run(shard, keep_whole)
    assert results[0][0]["weight"].tolist() == [0, 1, 2, 3] and len(results[0][0]) == 1
    assert results[1][0]["weight"].tolist() == [4, 5]
    assert results[1][0]["gain"].tolist() == [6]
    for _, (is_whole, n_bytes), weight, gain in results:
        assert (is_whole, n_bytes) == (keep_whole, 32 if keep_whole else 0)
        assert weight.tolist() == [[10, 11, 12], [13, 24, 25]] and gain.tolist() == [26]


def reduce_twice():
    group = make_mesh(data=2).data
    layer, parameters = counting_layer()
    unit = FlatUnit("layer", parameters, group)
    for _ in range(2):  # two micro-batches; the gain has no gradient
        layer.weight.grad = torch.arange(6.0).view(2, 3) * (group.rank + 1)
        unit.reduce()
    return {name: piece.grad for name, piece in unit.pieces}, layer.weight.grad is None


def test_gradients_are_summed_over_ranks_and_micro_batches(two_ranks):
    (first, gone), (second, _) = two_ranks.run(reduce_twice)
    assert gone, "the whole gradient is forgotten"
    assert first["weight"].tolist() == [0, 6, 12, 18]  # 2 (1 + 2) times 0 to 3
    assert second["weight"].tolist() == [24, 30] and second["gain"].tolist() == [0]


def test_released_and_gathered_between_forward_and_backward():
    layer, x = nn.Linear(3, 2), torch.ones(1, 3, requires_grad=True)
    expected = layer(x).sum()
    grads = torch.autograd.grad(expected, [x, *layer.parameters()])
    unit = FlatUnit("layer", dict(layer.named_parameters()), Group(name="data"), keep_whole=False)
    unit.gather()
    loss = layer(x).sum()
    unit.release()
    assert layer.weight.untyped_storage().nbytes() == 0
    unit.gather()
    loss.backward()
    for found, wanted in zip([x.grad, layer.weight.grad, layer.bias.grad], grads, strict=True):
        torch.testing.assert_close(found, wanted)


def test_errors():
    with pytest.raises(ValueError, match="root: expected parameters of one dtype, got none"):
        FlatUnit("root", {}, Group(name="data"))
    two = {"a": nn.Parameter(torch.zeros(1)), "b": nn.Parameter(torch.zeros(1).double())}
    with pytest.raises(ValueError, match=r"got torch\.float32, torch\.float64"):
        FlatUnit("root", two, Group(name="data"))
