import pytest
import torch

from llm_course.parallel.collectives import all_reduce
from llm_course.parallel.mesh import Mesh, make_mesh


def place(sizes):
    """This rank's place, and the sum of 10^rank over each of its groups."""
    mesh = make_mesh(**sizes)
    import torch.distributed as dist

    sums = {}
    for axis in ("pipeline", "data", "tensor"):
        group = getattr(mesh, axis)
        total = all_reduce(torch.tensor([10 ** dist.get_rank()]), group)
        sums[axis] = (group.rank, group.size, total.item())
    return sums


def test_ranks_run_fastest_along_the_tensor_axis(four_ranks):
    found = four_ranks.run(place, {"data": 2, "tensor": 2})
    assert [f["tensor"] for f in found] == [(0, 2, 11), (1, 2, 11), (0, 2, 1100), (1, 2, 1100)]
    assert [f["data"] for f in found] == [(0, 2, 101), (0, 2, 1010), (1, 2, 101), (1, 2, 1010)]
    assert [f["pipeline"] for f in found] == [(0, 1, 10**rank) for rank in range(4)]


def test_the_pipeline_is_the_slowest_axis(four_ranks):
    found = four_ranks.run(place, {"pipeline": 2, "data": 2})
    assert [f["pipeline"] for f in found] == [(0, 2, 101), (0, 2, 1010), (1, 2, 101), (1, 2, 1010)]


def wrong_size():
    try:
        make_mesh(data=3)
    except ValueError as error:
        return str(error)
    return "no error"


def test_a_mesh_must_use_every_rank(two_ranks):
    for message in two_ranks.run(wrong_size):
        assert message == ("mesh: expected pipeline * data * tensor = 2 ranks, got 1 * 3 * 1.")


def test_one_process():
    mesh = make_mesh()
    assert (mesh.pipeline.size, mesh.data.size, mesh.tensor.size) == (1, 1, 1)
    assert mesh.pipeline.ledger is mesh.tensor.ledger is mesh.ledger
    assert Mesh().tensor.name == "tensor"
    with pytest.raises(ValueError, match="= 1 ranks, got 2"):
        make_mesh(pipeline=2)
