import pytest
import torch

from llm_course.parallel.group import Group
from llm_course.parallel.layout import Layout
from llm_course.parallel.logical_clock import Slot, bubble_of, most_in_flight
from llm_course.parallel.mesh import make_mesh
from llm_course.parallel.pipeline_run import run_schedule
from llm_course.parallel.schedules import SCHEDULES, one_f_one_b
from tests.parallel.ours import with_layout
from tests.parallel.references import one_process_gradients, with_pipelining


def untied(schedule, n_stages):
    layout = Layout(pipeline=n_stages, n_microbatches=4, schedule=schedule)
    return with_layout(layout, tie_embeddings=False)


@pytest.mark.parametrize("n_stages", [2, 4])
@pytest.mark.parametrize("schedule", ["gpipe", "1f1b"])
def test_loss_and_gradients_are_those_of_pytorchs_pipelining(
    two_ranks, four_ranks, schedule, n_stages
):
    pool = two_ranks if n_stages == 2 else four_ranks
    loss, alone = one_process_gradients(tie_embeddings=False)
    theirs, ours = pool.run(with_pipelining, schedule, 4), pool.run(untied, schedule, n_stages)
    assert theirs[-1][0] == pytest.approx(loss, abs=1e-12)
    for (_, their_grads), (our_loss, our_grads, _) in zip(theirs, ours, strict=True):
        assert our_loss == pytest.approx(loss, abs=1e-12), "on every stage"
        assert our_grads.keys() == their_grads.keys()
        for name, grad in our_grads.items():
            torch.testing.assert_close(grad, their_grads[name], rtol=0, atol=1e-12, msg=name)
            torch.testing.assert_close(grad, alone[name], rtol=0, atol=1e-12, msg=name)


def run_three_numbers(schedule, n_microbatches):
    """A chain of stages that each multiply by 2: the loss is 2^p x, its slope 2^p."""
    group = make_mesh(pipeline=4).pipeline
    weight = torch.full((1, 1, 1), 2.0, requires_grad=True)

    def forward(i, x):
        y = weight * (torch.full((1, 1, 1), i + 1.0) if x is None else x)
        return y.sum() if group.rank == 3 else y

    actions = SCHEDULES[schedule](group.rank, 4, n_microbatches)
    run = run_schedule(actions, group, forward, torch.empty(1, 1, 1))
    losses = {i: loss.item() for i, loss in run.losses.items()}
    sent = [(t.purpose, t.sent) for t in group.ledger.transfers]
    return losses, weight.grad.item(), [vars(s) for s in run.slots], run.most_in_flight, sent


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_chain_by_hand(four_ranks, schedule):
    results = four_ranks.run(run_three_numbers, schedule, 3)
    assert results[3][0] == {0: 16.0, 1: 32.0, 2: 48.0}
    assert all(losses == {} for losses, *_ in results[:3])
    for stage, (_, grad, slots, in_flight, sent) in enumerate(results):
        assert grad == 8 * (1 + 2 + 3), "d (2^4 x) / d w = 8 x, summed over the micro-batches"
        actions = SCHEDULES[schedule](stage, 4, 3)
        assert [(slot["kind"], slot["microbatch"]) for slot in slots] == actions
        assert in_flight == most_in_flight(actions)
        expected = {"forward": 3 * (stage < 3), "backward": 3 * (stage > 0)}
        assert {way: sent.count((way, 4)) for way in expected} == expected


def test_the_recorded_times_respect_what_each_action_waits_for(four_ranks):
    results = four_ranks.run(run_three_numbers, "1f1b", 5)
    slots = [Slot(**slot) for result in results for slot in result[2]]
    at = {(slot.stage, slot.kind, slot.microbatch): slot for slot in slots}
    for (stage, kind, i), slot in at.items():
        assert slot.start <= slot.end
        before = (stage - 1, "F", i) if kind == "F" else (stage + 1, "B", i)
        if before in at:
            assert at[before].end <= slot.start, "one clock for all processes"
    assert 0 < bubble_of(slots) < 1


def test_one_stage_is_gradient_accumulation():
    weight = torch.ones(1, requires_grad=True)
    run = run_schedule(
        one_f_one_b(0, 1, 3),
        Group(name="pipeline"),
        lambda i, x: (weight * (i + 1.0)).sum(),
        torch.empty(1),
    )
    assert weight.grad.item() == 6.0 and run.most_in_flight == 1
    assert [loss.item() for loss in run.losses.values()] == [1.0, 2.0, 3.0]
