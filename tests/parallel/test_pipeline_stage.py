import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_course.parallel.mesh import make_mesh
from llm_course.parallel.pipeline_stage import (
    add_tied_gradient,
    keep_stage,
    stage_forward,
    stage_layers,
)
from tests.parallel.small_run import batches, small_model


@given(n_layers=st.integers(1, 30), data=st.data())
def test_every_layer_is_on_one_stage_and_no_stage_has_two_more_than_another(n_layers, data):
    n_stages = data.draw(st.integers(1, n_layers))
    layers = stage_layers(n_layers, n_stages)
    assert [index for own in layers for index in own] == list(range(n_layers))
    sizes = [len(own) for own in layers]
    assert len(layers) == n_stages and max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("n_stages", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "changes",
    [{}, {"tie_embeddings": False, "position": "learned"}, {"position": "alibi"}],
    ids=str,
)
def test_stages_one_after_the_other_are_the_model(n_stages, changes):
    tokens = batches(1)[0][0]
    x, names = tokens, []
    for stage in range(n_stages):
        model = small_model(**changes)
        layers = keep_stage(model, stage, n_stages)
        x = stage_forward(model, layers, x)
        names += [name for name, _ in model.named_parameters()]
    whole = small_model(**changes)
    torch.testing.assert_close(model.unembed(x), whole(tokens), rtol=0, atol=1e-13)
    expected = [name for name, _ in whole.named_parameters()]
    if not changes.get("tie_embeddings", True) or n_stages == 1:
        assert sorted(names) == sorted(expected), "each parameter on one stage"
    elif "tie_embeddings" not in changes:
        assert sorted(names) == sorted([*expected, "embedding.weight"]), "the tied one on two"


def exchange_gradients():
    group = make_mesh(pipeline=4).pipeline
    gradient = torch.full((2, 3), float(group.rank + 1))
    if group.rank in (0, 3):
        add_tied_gradient(gradient, group)
    return gradient, [(t.purpose, t.sent) for t in group.ledger.transfers]


def test_first_and_last_stage_add_their_gradients(four_ranks):
    results = four_ranks.run(exchange_gradients)
    assert [gradient[0, 0].item() for gradient, _ in results] == [5.0, 2.0, 3.0, 5.0]
    assert results[0][1] == [("tied embedding", 24)] and results[1][1] == []


def test_errors():
    with pytest.raises(ValueError, match="n_stages: expected 1 to n_layers=4, got 5"):
        keep_stage(small_model(), 0, 5)
    with pytest.raises(ValueError, match="position: expected another than t5"):
        keep_stage(small_model(position="t5"), 0, 2)
