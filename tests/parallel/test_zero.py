import pytest
import torch

from llm_course.parallel.group import Group
from llm_course.parallel.layout import Layout
from llm_course.parallel.zero import Zero
from tests.parallel.ours import weights_after_a_step, with_layout
from tests.parallel.references import one_process_gradients, with_fsdp2
from tests.parallel.small_run import small_model


@pytest.mark.parametrize("world", ["two_ranks", "four_ranks"])
def test_gradients_and_weights_after_a_step_are_those_of_fsdp2(world, request):
    pool = request.getfixturevalue(world)
    (loss, alone), theirs = one_process_gradients(), pool.run(with_fsdp2)
    for stage in (1, 2, 3):
        layout = Layout(data=pool.n_ranks, zero=stage)
        ours, stepped = pool.run(with_layout, layout), pool.run(weights_after_a_step, stage)
        for rank in range(pool.n_ranks):
            assert ours[rank][0] == pytest.approx(loss, abs=1e-12)
            for name, grad in alone.items():
                for expected in (grad, theirs[rank][0][name]):
                    torch.testing.assert_close(
                        ours[rank][1][name], expected, rtol=0, atol=1e-12, msg=name
                    )
                torch.testing.assert_close(
                    stepped[rank][name], theirs[rank][1][name], rtol=0, atol=1e-10, msg=name
                )


def test_blocks_are_units_and_the_rest_is_the_root():
    zero = Zero(small_model(), Group(name="data"), 3)
    assert [unit.name for unit in zero.units] == [*(f"blocks.{i}" for i in range(4)), "root"]
    assert list(zero.root.parameters) == ["embedding.weight", "final_norm.weight"]
    assert zero.parameter_bytes() == small_model().n_parameters * 8, "nothing is gathered"


def test_evaluation_gathers_and_releases_without_a_backward_pass():
    model, whole = small_model(), small_model()
    tokens = torch.tensor([[1, 2, 3]])
    zero = Zero(model, Group(name="data"), 3)
    zero.begin()
    with torch.no_grad():
        torch.testing.assert_close(model(tokens), whole(tokens))
    assert not any(unit.is_whole for unit in zero.blocks)


def test_a_frozen_parameter_stays_as_it_is():
    model = small_model()
    model.blocks[0].attention_norm.weight.requires_grad_(False)
    zero = Zero(model, Group(name="data"), 2)
    assert "blocks.0.attention_norm.weight" not in dict(zero.pieces)


def test_errors():
    with pytest.raises(ValueError, match="stage: expected 1, 2 or 3, got 0"):
        Zero(small_model(), Group(name="data"), 0)
