import pytest
import torch
from torch import nn

from llm_course.parallel.data_parallel import DataParallel
from llm_course.parallel.group import Group
from llm_course.parallel.mesh import make_mesh
from tests.parallel.ours import with_data_parallel
from tests.parallel.references import one_process_gradients, with_ddp


def check_close(found, expected):
    assert found.keys() == expected.keys()
    for name, grad in found.items():
        torch.testing.assert_close(grad, expected[name], rtol=0, atol=1e-12, msg=name)


@pytest.mark.parametrize("algorithm", ["ring", "backend"])
def test_gradients_are_those_of_ddp_and_of_one_process(two_ranks, algorithm):
    theirs, (_, alone) = two_ranks.run(with_ddp), one_process_gradients()
    for rank, (ours, left, n_buckets) in enumerate(two_ranks.run(with_data_parallel, algorithm)):
        check_close(ours, theirs[rank])
        check_close(ours, alone)
        assert n_buckets > 2
        assert 0 < left[0] < n_buckets, "buckets leave while backward is running, but not all"


def start_differently():
    """Models that differ, and a parameter without a gradient on rank 0."""
    group = make_mesh(data=2).data
    model = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(group.rank + 1.0)
    parallel = DataParallel(model, group, bucket_bytes=16)
    first = [weight.detach().clone() for weight in model.parameters()]
    model[group.rank](torch.ones(1, 2)).sum().backward()
    parallel.finish()
    return first, [weight.grad for weight in model.parameters()]


def test_all_begin_with_rank_0s_weights_and_a_missing_gradient_is_zero(two_ranks):
    for first, grads in two_ranks.run(start_differently):
        assert all((weight == 1.0).all() for weight in first)
        assert all((grad == 1.0).all() for grad in grads)  # one rank's 1 and the other's 0


def one_rank():
    model = nn.Linear(2, 1, bias=False)
    return model, DataParallel(model, Group(name="data"))


def test_micro_batches_add_up_while_it_is_paused():
    model, parallel = one_rank()
    for factor in (1.0, 2.0):
        with parallel.pause():
            model(factor * torch.ones(1, 2)).sum().backward()
    model(4.0 * torch.ones(1, 2)).sum().backward()
    parallel.finish()
    assert model.weight.grad.tolist() == [[7.0, 7.0]]


def test_a_second_backward_without_zero_grad_would_count_twice_and_is_refused():
    model, parallel = one_rank()
    model(torch.ones(1, 2)).sum().backward()
    with pytest.raises(ValueError, match=r"zero_grad\(\) first, or pause"):
        model(torch.ones(1, 2)).sum().backward()
    model, parallel = one_rank()
    model(torch.ones(1, 2)).sum().backward()
    parallel.finish()
    with pytest.raises(ValueError, match=r"zero_grad\(\) first, or pause"):
        model(torch.ones(1, 2)).sum().backward()


def test_parameters_of_two_dtypes_travel_apart():
    model = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2).double()])
    parallel = DataParallel(model, Group(name="data"))
    assert sorted(str(bucket.memory.dtype) for bucket in parallel.buckets) == [
        "torch.float32",
        "torch.float64",
    ]
