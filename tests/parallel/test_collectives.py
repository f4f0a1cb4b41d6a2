import pytest
import torch
import torch.distributed as dist

from llm_course.parallel import collectives
from llm_course.parallel.collectives import all_gather, all_reduce, broadcast, reduce_scatter
from llm_course.parallel.costs import all_reduce_bytes, gather_bytes
from llm_course.parallel.group import Group
from llm_course.parallel.mesh import make_mesh
from llm_course.shapes import ShapeError

SIZES = [(24,), (3, 5), (1,), (0,)]


def of_rank(shape, rank, dtype=torch.float64):
    generator = torch.Generator().manual_seed(rank)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def compare_with_gloo():
    """The largest difference between ours and gloo's for each call."""
    n, rank = dist.get_world_size(), dist.get_rank()
    found = {}
    for algorithm in ("ring", "backend"):
        group = make_mesh(data=n, algorithm=algorithm).data
        for shape in SIZES:
            for operation, theirs in (("sum", dist.ReduceOp.SUM), ("max", dist.ReduceOp.MAX)):
                ours, wanted = of_rank(shape, rank), of_rank(shape, rank)
                all_reduce(ours, group, operation=operation)
                dist.all_reduce(wanted, theirs)
                found[algorithm, operation, shape] = distance(ours, wanted)
        mine = of_rank((4 * n,), rank)
        total = mine.clone()
        dist.all_reduce(total)
        found[algorithm, "reduce_scatter"] = distance(
            reduce_scatter(mine.clone(), group), total.chunk(n)[rank]
        )
        parts = [torch.empty(6, dtype=torch.float64) for _ in range(n)]
        dist.all_gather(parts, of_rank((6,), rank))
        found[algorithm, "all_gather"] = distance(
            all_gather(of_rank((6,), rank), group), torch.cat(parts)
        )
        for source in range(n):
            sent = broadcast(of_rank((3, 2), rank), group, source)
            found[algorithm, "broadcast", source] = distance(sent, of_rank((3, 2), source))
    return {str(key): value for key, value in found.items()}


def distance(a, b):
    if a.shape != b.shape:
        return float("inf")
    return (a - b).abs().max().item() if a.numel() else 0.0


@pytest.mark.parametrize("world", ["two_ranks", "four_ranks"])
def test_they_are_gloos_own(world, request):
    for differences in request.getfixturevalue(world).run(compare_with_gloo):
        assert len(differences) >= 20
        for call, difference in differences.items():
            assert difference < 1e-14, call


def with_older_names():
    """Before PyTorch 2.13 two of them had other names, which 2.13 still knows, with a warning."""
    group = make_mesh(data=dist.get_world_size(), algorithm="backend").data
    newer = collectives._all_gather_single, collectives._reduce_scatter_single
    collectives._all_gather_single = dist.all_gather_into_tensor
    collectives._reduce_scatter_single = dist.reduce_scatter_tensor
    try:
        return all_gather(torch.tensor([group.rank]), group), reduce_scatter(torch.arange(4), group)
    finally:
        collectives._all_gather_single, collectives._reduce_scatter_single = newer


def test_the_names_before_pytorch_2_13_do_the_same(two_ranks):
    for rank, (gathered, scattered) in enumerate(two_ranks.run(with_older_names)):
        assert gathered.tolist() == [0, 1]
        assert scattered.tolist() == [[0, 2], [4, 6]][rank]


def count_bytes():
    group = make_mesh(data=dist.get_world_size()).data
    all_reduce(torch.zeros(32), group, "reduce")
    all_gather(torch.zeros(8), group, "gather")
    reduce_scatter(torch.zeros(32), group, "scatter")
    broadcast(torch.zeros(32), group, 0, "broadcast")
    return {t.purpose: (t.collective, t.payload, t.sent) for t in group.ledger.transfers}


@pytest.mark.parametrize("world", ["two_ranks", "four_ranks"])
def test_the_bytes_that_were_sent_are_the_closed_forms(world, request):
    results = request.getfixturevalue(world).run(count_bytes)
    n = len(results)
    for counted in results:
        assert counted["reduce"] == ("all_reduce", 128, all_reduce_bytes(n, 128))
        assert counted["gather"] == ("all_gather", 32 * n, gather_bytes(n, 32 * n))
        assert counted["scatter"] == ("reduce_scatter", 128, gather_bytes(n, 128))
    assert sum(counted["broadcast"][2] for counted in results) == (n - 1) * 128


def same_bits():
    """fp32, whose sums depend on the order: all ranks must still end with the same bits."""
    group = make_mesh(data=dist.get_world_size()).data
    return all_reduce(of_rank((101,), dist.get_rank(), torch.float32), group)


def test_all_ranks_end_with_the_same_bits(four_ranks):
    results = four_ranks.run(same_bits)
    assert all(torch.equal(result, results[0]) for result in results)


def test_a_rank_that_is_alone_has_nothing_to_do():
    group, x = Group(name="data"), torch.arange(4.0)
    assert all_reduce(x, group) is x
    assert torch.equal(reduce_scatter(x, group), x)
    assert torch.equal(all_gather(x, group), x)
    assert broadcast(x, group) is x
    assert group.ledger.count() == 0


def test_errors():
    group = Group(name="data")
    with pytest.raises(ValueError, match="tensor: expected contiguous memory"):
        all_reduce(torch.zeros(3, 4).T, group)
    with pytest.raises(ShapeError, match=r"got shape \(2, 2\)"):
        reduce_scatter(torch.zeros(2, 2), group)


def odd_reduce_scatter():
    try:
        reduce_scatter(torch.zeros(5), make_mesh(data=2).data)
    except ShapeError as error:
        return str(error)
    return "no error"


def test_a_tensor_that_cannot_be_dealt_out_is_refused_on_every_rank(two_ranks):
    for message in two_ranks.run(odd_reduce_scatter):
        assert "a multiple of 2 numbers, got shape (5,). Fix: pad it" in message
