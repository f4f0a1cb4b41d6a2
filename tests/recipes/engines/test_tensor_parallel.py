"""DTensor as a strategy: padding, tied and untied matrices, norms with biases, and refusals."""

import pytest

from llm_course.errors import CourseError
from llm_course.recipes.engines.tensor_parallel import check_divisible
from tests.parallel.small_run import small_model
from tests.recipes.engines.padded import check_equal_to_one, train_padded


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "tie_embeddings": False,
            "bias": True,
            "norm": "layer_norm",
            "position": "learned",
            "feed_forward": "gelu",
        },
    ],
    ids=["llama", "gpt"],
)
def test_a_divided_model_trains_as_a_whole_one(two_ranks, changes):
    results = two_ranks.run(train_padded, "tensor", changes)
    expected = check_equal_to_one(results, changes)
    assert all(result["local"] < 0.6 * expected["local"] for result in results)


def test_accumulation_changes_nothing(two_ranks):
    settings = {"accumulation": 2}
    check_equal_to_one(two_ranks.run(train_padded, "tensor", None, settings), None, settings)


@pytest.mark.parametrize(
    ("changes", "n_ranks", "message"),
    [
        ({}, 4, "n_kv_heads: expected a multiple of 4 processes for the strategy tensor, got 2"),
        ({"d_ff": 25}, 2, "d_ff: expected a multiple of 2 .*, got 25"),
        ({"position": "alibi"}, 2, "position: expected rope.* got 'alibi'"),
    ],
)
def test_a_model_that_cannot_be_divided_is_refused(changes, n_ranks, message):
    with pytest.raises(CourseError, match=message):
        check_divisible(small_model(**changes), n_ranks)
