"""Every layout gives the losses, gradient norms and weights of one process."""

import pytest
import torch

from llm_course.parallel.launcher import RankPool
from llm_course.parallel.layout import Layout
from llm_course.parallel.mesh import Mesh
from llm_course.parallel.trainer import ParallelTrainer
from llm_course.training.loop import NonFiniteLoss
from tests.parallel.small_run import (
    batches,
    check_equal,
    one_process,
    run_config,
    small_model,
    train_on_mesh,
)

TWO = {
    "data": {"data": 2},
    "data, small buckets": {"data": 2, "bucket_bytes": 1000, "n_microbatches": 2},
    "tensor": {"tensor": 2},
    "naive pipeline": {"pipeline": 2, "n_microbatches": 4, "schedule": "naive"},
    "GPipe": {"pipeline": 2, "n_microbatches": 4, "schedule": "gpipe"},
    "1F1B": {"pipeline": 2, "n_microbatches": 4},
    "ZeRO-1": {"data": 2, "zero": 1},
    "ZeRO-2": {"data": 2, "zero": 2},
    "ZeRO-2, micro-batches": {"data": 2, "zero": 2, "n_microbatches": 2},
    "ZeRO-3": {"data": 2, "zero": 3},
    "ZeRO-3, micro-batches": {"data": 2, "zero": 3, "n_microbatches": 2},
}
FOUR = {
    "data": {"data": 4},
    "1F1B": {"pipeline": 4, "n_microbatches": 8},
    "1F1B, fewer micro-batches than stages": {"pipeline": 4, "n_microbatches": 2},
    "ZeRO-1": {"data": 4, "zero": 1},
    "ZeRO-2": {"data": 4, "zero": 2},
    "ZeRO-3": {"data": 4, "zero": 3},
    "tensor and data": {"tensor": 2, "data": 2},
    "tensor and pipeline": {"tensor": 2, "pipeline": 2, "n_microbatches": 2},
    "pipeline and data": {"pipeline": 2, "data": 2, "n_microbatches": 2},
    "pipeline and ZeRO-1": {"pipeline": 2, "data": 2, "n_microbatches": 2, "zero": 1},
    "tensor and ZeRO-3": {"tensor": 2, "data": 2, "zero": 3},
}


@pytest.fixture(scope="module")
def expected():
    return one_process()


def test_one_rank_is_one_process(expected):
    check_equal([train_on_mesh(Layout(n_microbatches=2))], expected)


@pytest.mark.parametrize("sizes", TWO.values(), ids=TWO)
def test_two_ranks_are_one_process(two_ranks, expected, sizes):
    check_equal(two_ranks.run(train_on_mesh, Layout(**sizes)), expected)


@pytest.mark.parametrize("sizes", FOUR.values(), ids=FOUR)
def test_four_ranks_are_one_process(four_ranks, expected, sizes):
    check_equal(four_ranks.run(train_on_mesh, Layout(**sizes)), expected)


@pytest.mark.parametrize(
    "sizes",
    [{"data": 2}, {"tensor": 2}, {"pipeline": 2, "n_microbatches": 2}, {"data": 2, "zero": 3}],
    ids=str,
)
def test_another_architecture_with_biases_and_an_output_of_its_own(two_ranks, sizes):
    changes = {
        "bias": True, "tie_embeddings": False, "position": "learned", "norm": "layer_norm",
        "feed_forward": "gelu",
    }  # fmt: skip
    results = two_ranks.run(train_on_mesh, Layout(**sizes), "float64", changes)
    check_equal(results, one_process(**changes))


@pytest.mark.parametrize("sizes", [{"data": 2}, {"tensor": 2}, {"data": 2, "zero": 3}], ids=str)
def test_a_backends_own_collectives_and_the_fused_optimizer_change_nothing(
    two_ranks, expected, sizes
):
    check_equal(
        two_ranks.run(train_on_mesh, Layout(**sizes), "float64", None, "backend", True), expected
    )


@pytest.mark.parametrize("sizes", [{"data": 2}, {"tensor": 2}, {"data": 2, "zero": 3}], ids=str)
def test_in_fp32_the_order_of_sums_shows_in_the_last_digits(two_ranks, sizes):
    results = two_ranks.run(train_on_mesh, Layout(**sizes), "float32")
    check_equal(results, one_process(torch.float32), tolerance=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("zero", [0, 1])
def test_three_axes_on_eight_ranks_are_one_process(expected, zero):
    layout = Layout(tensor=2, pipeline=2, data=2, n_microbatches=2, zero=zero)
    with RankPool(8, timeout=300.0) as pool:
        check_equal(pool.run(train_on_mesh, layout), expected)


def test_what_is_not_finite_changes_no_weight():
    model = small_model()
    trainer = ParallelTrainer(model, Mesh(), Layout(), run_config())
    with torch.no_grad():
        model.blocks[0].feed_forward.up.weight[0, 0] = torch.inf
    before = [weight.detach().clone() for weight in model.parameters()]
    with pytest.raises(NonFiniteLoss):
        trainer.step(batches()[0])
    assert all(map(torch.equal, before, model.parameters()))


def test_a_layout_that_is_not_the_meshs_is_refused():
    with pytest.raises(ValueError, match="data: expected a mesh of 2 ranks, got 1"):
        ParallelTrainer(small_model(), Mesh(), Layout(data=2), run_config())


def test_the_run_ends_where_the_schedule_ends():
    trainer = ParallelTrainer(small_model(), Mesh(), Layout(), run_config())
    for batch in batches():
        trainer.step(batch)
    with pytest.raises(ValueError, match="step: expected"):
        trainer.step(batches()[0])
