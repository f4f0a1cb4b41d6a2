import re

import pytest
import torch
from torch import nn

from llm_course.parallel.costs import tensor_parallel_bytes
from llm_course.parallel.group import Group
from llm_course.parallel.layout import Layout
from llm_course.parallel.mesh import make_mesh
from llm_course.parallel.tensor_parallel import (
    RowParallelLinear,
    stream_loss,
    tensor_parallelise,
)
from llm_course.training.loss import next_token_loss
from tests.parallel.ours import with_layout
from tests.parallel.references import full_batch, one_process_gradients, with_dtensor
from tests.parallel.small_run import LENGTH, ROWS, small_model


def test_loss_and_gradients_are_those_of_dtensor_and_of_one_process(two_ranks):
    loss, alone = one_process_gradients(tie_embeddings=False)
    theirs = two_ranks.run(with_dtensor)
    ours = two_ranks.run(with_untied_layout)
    for (their_loss, their_grads), (our_loss, our_grads, _) in zip(theirs, ours, strict=True):
        assert our_loss == pytest.approx(their_loss, abs=1e-12) == pytest.approx(loss, abs=1e-12)
        assert our_grads.keys() == their_grads.keys() == alone.keys()
        for name, grad in our_grads.items():
            torch.testing.assert_close(grad, their_grads[name], rtol=0, atol=1e-12, msg=name)
            torch.testing.assert_close(grad, alone[name], rtol=0, atol=1e-12, msg=name)


def with_untied_layout():
    return with_layout(Layout(tensor=2), tie_embeddings=False)


@pytest.mark.parametrize("n", [2, 4])
def test_a_layer_sends_four_sums_of_the_stream(two_ranks, four_ranks, n):
    pool = two_ranks if n == 2 else four_ranks
    for _, _, transfers in pool.run(with_all_heads, n):
        for layer in range(4):
            own = [t for t in transfers if t["purpose"].startswith(f"blocks.{layer}.")]
            assert len(own) == 4 and {t["collective"] for t in own} == {"all_reduce"}
            expected = tensor_parallel_bytes(n, ROWS, LENGTH, 16, item_bytes=8)
            assert sum(t["sent"] for t in own) == expected


def with_all_heads(n):
    return with_layout(Layout(tensor=n), n_kv_heads=4)


def sizes_of_shards():
    model = small_model(bias=True, tie_embeddings=False)
    dealt = tensor_parallelise(model, make_mesh(tensor=2).tensor)
    return dealt, {name: tuple(weight.shape) for name, weight in model.named_parameters()}


def test_what_is_dealt_out_is_halved_along_its_axis_and_the_rest_is_whole(two_ranks):
    whole = small_model(bias=True, tie_embeddings=False)
    for dealt, shapes in two_ranks.run(sizes_of_shards):
        for name, weight in whole.named_parameters():
            expected = list(weight.shape)
            if name in dealt:
                expected[dealt[name]] //= 2
            assert shapes[name] == tuple(expected), name
        left = {re.sub(r"blocks\.\d\.", "", name) for name in shapes if name not in dealt}
        assert left == {
            "attention_norm.weight", "feed_forward_norm.weight", "final_norm.weight",
            "attention.output.bias", "feed_forward.down.bias",
        }  # fmt: skip


def add_a_bias():
    torch.manual_seed(0)
    whole = nn.Linear(4, 3).double()
    x = torch.arange(8.0, dtype=torch.float64).view(2, 4)
    group = make_mesh(tensor=2).tensor
    layer = RowParallelLinear(whole, group, "layer")
    return layer(x.chunk(2, dim=-1)[group.rank]), whole(x)


def test_a_layer_by_rows_adds_its_bias_once(two_ranks):
    for found, expected in two_ranks.run(add_a_bias):
        torch.testing.assert_close(found, expected)


def test_the_loss_of_a_whole_vocabulary_is_the_loops():
    model = small_model()
    tokens, targets = full_batch()
    x, mask, rotate, bias = model.begin(tokens)
    for block in model.blocks:
        x = block(x, mask, rotate, bias)
    found = stream_loss(model, x, targets, Group(name="tensor"))
    torch.testing.assert_close(found, next_token_loss(model, tokens, targets))


def refuse(changes):
    try:
        tensor_parallelise(small_model(**changes), make_mesh(tensor=2).tensor)
    except ValueError as error:
        return str(error)
    return "no error"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_kv_heads": 1}, "n_kv_heads: expected a multiple of 2 ranks, got 1."),
        ({"d_ff": 25}, "d_ff: expected a multiple of 2 ranks, got 25."),
        ({"vocab_size": 21}, "vocab_size: expected a multiple of 2 ranks, got 21."),
        ({"position": "alibi"}, "position: expected rope, learned, sinusoidal or none"),
    ],
    ids=str,
)
def test_what_cannot_be_dealt_out_is_refused(two_ranks, changes, message):
    assert all(found.startswith(message) for found in two_ranks.run(refuse, changes))
