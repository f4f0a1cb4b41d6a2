"""DDP and FSDP2 as strategies: padding, accumulation, recomputation, and what a rank keeps."""

import pytest
import torch.distributed as dist

from llm_course.recipes.train.strategies import make_strategy
from llm_course.training.loop import train
from llm_course.training.state import begin_training
from tests.parallel.small_run import run_config, small_model
from tests.recipes.engines.padded import check_equal_to_one, train_padded, uneven_batches


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
@pytest.mark.parametrize("tied", [True, False])
def test_padding_counts_by_targets_and_rows_without_any_hold_nobody_up(two_ranks, strategy, tied):
    changes = {"tie_embeddings": tied}
    results = two_ranks.run(train_padded, strategy, changes)
    expected = check_equal_to_one(results, changes)
    share = [result["local"] / expected["local"] for result in results]
    if strategy == "ddp":
        assert share == [1.0, 1.0]
    else:
        assert sum(share) == 1.0 and max(share) < 0.51, "each rank keeps half"


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_accumulation_changes_nothing(two_ranks, strategy):
    settings = {"accumulation": 2}
    check_equal_to_one(two_ranks.run(train_padded, strategy, None, settings), None, settings)


def test_recomputed_blocks_can_be_sharded(two_ranks):
    check_equal_to_one(two_ranks.run(train_padded, "fsdp", None, None, None, True))


def count_reductions(n_parts):
    """How often DDP's buckets went out in one step."""
    engine, model = make_strategy("ddp", "cpu"), small_model()
    config = run_config()
    config = type(config)(**{**vars(config), "n_steps": 1, "warmup_steps": 0,
                             "accumulation": n_parts})  # fmt: skip
    prepared, sent = engine.prepare(model), []

    def hook(state, bucket):
        sent.append(bucket.index())
        return (
            dist.all_reduce(bucket.buffer(), async_op=True)
            .get_future()
            .then(lambda done: done.value()[0] / dist.get_world_size())
        )

    prepared.register_comm_hook(None, hook)
    state = begin_training(model, config, prepared)
    train(model, uneven_batches()[1:2], config, strategy=engine, state=state)
    return len(sent)


def test_an_accumulated_gradient_is_sent_once(two_ranks):
    once = two_ranks.run(count_reductions, 1)
    assert once == two_ranks.run(count_reductions, 4) and min(once) >= 1
