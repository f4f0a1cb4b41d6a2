"""Training on padded batches by an engine, as one rank of a pool does it."""

import torch

from llm_course.recipes.train.recipe import ParallelEntry
from llm_course.recipes.train.strategies import make_strategy
from llm_course.training.activation_checkpointing import checkpoint_activations
from llm_course.training.loop import train
from llm_course.training.loss import IGNORE
from llm_course.training.state import begin_training
from tests.parallel.small_run import batches, run_config, small_model


def uneven_batches():
    """Padded batches; in the first the second half of the rows has nothing that counts."""
    made = batches()
    made[0][1][len(made[0][1]) // 2 :] = IGNORE
    return made


def train_padded(strategy, changes=None, settings=None, options=None, recompute=False):
    """Losses, norms and, on the first rank, whole weights."""
    engine = make_strategy(strategy, "cpu", ParallelEntry(**(options or {})))
    model = small_model(**(changes or {}))
    if recompute:
        checkpoint_activations(model)
    config = run_config(fused=True)
    config = type(config)(**{**vars(config), **(settings or {})})
    state = begin_training(model, config, engine.prepare(model))
    records = train(model, uneven_batches(), config, strategy=engine, state=state)
    local = sum((w.to_local() if hasattr(w, "to_local") else w).numel() for w in model.parameters())
    return {
        "losses": [record.loss for record in records],
        "norms": [record.grad_norm for record in records],
        "weights": engine.gather(model),
        "local": local,
    }


def check_equal_to_one(results, changes=None, settings=None):
    """Every rank has the records of one process, and the first its weights."""
    expected = train_padded("single", changes, settings)
    for result in results:
        for name in ("losses", "norms"):
            found, wanted = torch.tensor(result[name]), torch.tensor(expected[name])
            torch.testing.assert_close(found, wanted, atol=1e-10, rtol=0)
    weights = results[0]["weights"]
    assert weights.keys() == expected["weights"].keys()
    for name, weight in expected["weights"].items():
        torch.testing.assert_close(weights[name], weight, atol=1e-10, rtol=0)
    return expected
