"""The pipeline as a strategy: both schedules, tied and untied matrices, and refusals."""

import pytest

from tests.recipes.engines.padded import check_equal_to_one, train_padded
from tests.recipes.engines.runs import refusal


@pytest.mark.parametrize("schedule", ["gpipe", "1f1b"])
@pytest.mark.parametrize("tied", [True, False])
def test_stages_train_as_a_whole_model(two_ranks, schedule, tied):
    changes, options = {"tie_embeddings": tied}, {"schedule": schedule, "n_microbatches": 4}
    results = two_ranks.run(train_padded, "pipeline", changes, None, options)
    expected = check_equal_to_one(results, changes)
    copies = 20 * 16 if tied else 0  # the embedding, which both ends have
    assert sum(result["local"] for result in results) == expected["local"] + copies


def test_recomputed_blocks_change_nothing(two_ranks):
    check_equal_to_one(two_ranks.run(train_padded, "pipeline", None, None, None, True))


@pytest.mark.parametrize(
    ("changes", "settings", "options", "message"),
    [
        ({}, {}, {"n_microbatches": 3}, "batch_size: expected a multiple of n_microbatches=3"),
        ({}, {}, {"n_microbatches": 1}, "n_microbatches: expected at least 2"),
        ({}, {"accumulation": 3}, {}, "batch_size: expected a multiple of n_microbatches=3"),
        ({"n_layers": 1}, {}, {}, "n_stages: expected 1 to n_layers=1, got 2"),
    ],
)
def test_what_cannot_be_cut_is_refused_everywhere(two_ranks, changes, settings, options, message):
    reasons = two_ranks.run(refusal, train_padded, "pipeline", changes, settings, options)
    assert all(message in reason for reason in reasons)
