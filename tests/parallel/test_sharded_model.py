import torch

from llm_course.parallel.layout import Layout
from llm_course.parallel.mesh import Mesh
from llm_course.parallel.sharded_model import ShardedModel, undeal
from tests.parallel.ours import mesh_for
from tests.parallel.small_run import small_model


def laid_out(layout):
    sharded = ShardedModel(small_model(), mesh_for(layout))
    counts = {name for name, _ in sharded.model.named_parameters() if sharded.counts(name)}
    sizes = {name: weight.numel() for name, weight in sharded.model.named_parameters()}
    return sharded.whole_weights(), counts, sizes, list(sharded.layers)


def test_the_whole_model_comes_back_and_each_number_counts_once(four_ranks):
    whole = dict(small_model().named_parameters())
    for sizes in ({"tensor": 2, "pipeline": 2}, {"pipeline": 4}, {"tensor": 2, "data": 2}):
        layout = Layout(**sizes)
        results = four_ranks.run(laid_out, layout)
        seen, counted = set(), 0
        for weights, counts, numels, _ in results:
            for name, weight in weights.items():
                assert torch.equal(weight, whole[name].detach()), name
            seen |= set(weights)
            counted += sum(numels[name] for name in counts)
        assert seen == set(whole)
        assert counted == layout.data * sum(weight.numel() for weight in whole.values())


def test_layers_of_the_stages(four_ranks):
    results = four_ranks.run(laid_out, Layout(tensor=2, pipeline=2))
    assert [layers for *_, layers in results] == [[0, 1], [0, 1], [2, 3], [2, 3]]


def test_one_rank_has_all():
    sharded = ShardedModel(small_model(), Mesh())
    assert sharded.is_first and sharded.is_last and not sharded.shares_embedding
    sharded.add_tied_gradients()  # there is nothing to add
    assert all(sharded.counts(name) for name in sharded.whole_weights())


def test_a_part_that_was_not_dealt_out_is_copied():
    part = torch.ones(2)
    copied = undeal(part, None, Mesh().tensor)
    copied += 1
    assert part.tolist() == [1, 1]
