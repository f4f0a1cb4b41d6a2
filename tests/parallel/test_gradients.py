"""The ledger of real runs against the closed forms, in bytes; equality is in the other files."""

import pytest
import torch

from llm_course.parallel.costs import all_reduce_bytes, zero_bytes
from llm_course.parallel.gradients import Gradients
from llm_course.parallel.layout import Layout
from llm_course.parallel.mesh import Mesh
from llm_course.parallel.trainer import ParallelTrainer
from llm_course.training.loss import IGNORE
from tests.parallel.ours import mesh_for, with_layout
from tests.parallel.references import full_batch
from tests.parallel.small_run import batches, run_config, small_model

ITEM = 8  # bytes of an fp64 number
EVEN = {"d_model": 16, "d_ff": 24, "vocab_size": 20}  # sizes that four ranks divide
PARAMETERS = sum(weight.numel() for weight in small_model(**EVEN).parameters()) * ITEM
ROOT = (20 * 16 + 16) * ITEM  # embedding and final norm
BLOCK = (PARAMETERS - ROOT) // 4


def step_with_ledger(layout):
    """One whole step; what it sent, and what lay in memory."""
    mesh = mesh_for(layout)
    trainer = ParallelTrainer(small_model(**EVEN), mesh, layout, run_config())
    mesh.ledger.clear()
    trainer.step(full_batch())
    small = ("loss", "gradient norm")
    sent = sum(t.sent for t in mesh.ledger.select(group="data") if t.purpose not in small)
    zero = trainer.gradients.zero
    peak = zero.peak_parameter_bytes if zero else 0
    at_rest = zero.parameter_bytes() if zero else trainer.memory.parameters
    kinds = sorted({(t.collective, t.purpose.split()[0]) for t in mesh.ledger.select(group="data")
                    if t.purpose not in small})  # fmt: skip
    return sent, vars(trainer.memory), peak, at_rest, kinds


@pytest.mark.parametrize("world", ["two_ranks", "four_ranks"])
@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_data_parallel_and_zero_send_what_the_closed_forms_say(world, stage, request):
    pool = request.getfixturevalue(world)
    n = pool.n_ranks
    for sent, *_, kinds in pool.run(step_with_ledger, Layout(data=n, zero=stage)):
        assert sent == zero_bytes(stage, n, PARAMETERS, ROOT)
        if stage == 0:
            assert sent == all_reduce_bytes(n, PARAMETERS)
            assert kinds == [("all_reduce", "bucket")]
        else:
            assert kinds == [("all_gather", "parameters"), ("reduce_scatter", "gradients")]


@pytest.mark.parametrize("world", ["two_ranks", "four_ranks"])
def test_each_stage_of_zero_divides_one_term_more(world, request):
    pool = request.getfixturevalue(world)
    n = pool.n_ranks
    for stage in (0, 1, 2, 3):
        results = pool.run(step_with_ledger, Layout(data=n, zero=stage))
        for _, memory, peak, at_rest, _ in results:
            # Stages 2 and 3 have the root's gradient whole until the backward pass has ended.
            gradients = (PARAMETERS - ROOT) // n + ROOT if stage >= 2 else PARAMETERS
            assert memory["gradients"] == gradients, stage
            assert memory["optimizer"] == 2 * PARAMETERS // (n if stage >= 1 else 1), stage
            assert at_rest == PARAMETERS // (n if stage == 3 else 1), stage
            if stage == 3:  # at the most its slice, the root and one block
                assert peak == PARAMETERS // n + ROOT + BLOCK
                assert memory["parameters"] == PARAMETERS // n + ROOT


def measured(layout):
    mesh = mesh_for(layout)
    trainer = ParallelTrainer(small_model(n_kv_heads=4), mesh, layout, run_config())
    trainer.step(full_batch())
    return vars(trainer.memory), trainer.gradients.run.most_in_flight


def test_1f1b_keeps_the_activations_of_fewer_micro_batches_than_gpipe(four_ranks):
    kept = {}
    for schedule in ("naive", "gpipe", "1f1b"):
        layout = Layout(pipeline=4, n_microbatches=8, schedule=schedule, measure=True)
        kept[schedule] = [memory["activations"] for memory, _ in four_ranks.run(measured, layout)]
    one = kept["naive"]
    assert all(n_bytes > 0 for n_bytes in one)
    assert kept["gpipe"] == [8 * n_bytes for n_bytes in one]
    assert kept["1f1b"] == [(4 - stage) * n_bytes for stage, n_bytes in enumerate(one)]


def test_tensor_parallelism_divides_weights_and_their_moments(two_ranks):
    whole = dict(small_model(n_kv_heads=4).named_parameters())
    norms = sum(weight.numel() for weight in whole.values() if weight.dim() == 1)
    total = sum(weight.numel() for weight in whole.values())
    expected = ((total - norms) // 2 + norms) * ITEM
    for memory, _ in two_ranks.run(measured, Layout(tensor=2)):
        assert memory["parameters"] == memory["gradients"] == expected
        assert memory["optimizer"] == 2 * expected


def test_a_pipeline_sends_one_stream_a_micro_batch_each_way(two_ranks):
    layout = Layout(pipeline=2, n_microbatches=4)
    stream = 2 * 6 * 16 * ITEM  # rows of a micro-batch, tokens, features
    for rank, (_, _, transfers) in enumerate(two_ranks.run(with_layout, layout)):
        way = "backward" if rank else "forward"
        sent = [t["sent"] for t in transfers if t["purpose"] == way]
        assert sent == [stream] * 4
        tied = [t["sent"] for t in transfers if t["purpose"] == "tied embedding"]
        assert tied == [20 * 16 * ITEM]


def test_rows_that_cannot_be_dealt_out_and_a_batch_without_targets_are_refused():
    gradients = Gradients(small_model(), Mesh(), Layout(n_microbatches=3))
    with pytest.raises(ValueError, match="batch: expected a multiple of 3 rows"):
        gradients.compute(batches(1)[0])
    gradients = Gradients(small_model(), Mesh(), Layout())
    tokens = batches(1)[0][0]
    with pytest.raises(ValueError, match="targets: expected one that counts"):
        gradients.compute((tokens, torch.full_like(tokens, IGNORE)))
    with pytest.raises(ValueError, match="tensor: expected a mesh of 2 ranks, got 1"):
        Gradients(small_model(), Mesh(), Layout(tensor=2))
