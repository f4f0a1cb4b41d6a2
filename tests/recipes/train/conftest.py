"""A run of seconds."""

import copy

import pytest

from llm_course.recipes.train.recipe import TrainRecipe, parse_train_recipe

TABLE = {
    "name": "micro",
    "seed": 3,
    "model": {"context_length": 16, "d_model": 16, "n_layers": 2, "n_heads": 2, "d_ff": 24},
    "data": {
        "n_bytes": 12_000,
        "held_out_bytes": 1500,
        "tokenizer_bytes": 6000,
        "vocab_size": 320,
    },
    "training": {
        "n_steps": 24,
        "learning_rate": 0.01,
        "warmup_steps": 4,
        "evaluate_every": 8,
    },
    "run": {"batch_size": 4, "checkpoint_every": 5, "sample_every": 12},
}


def micro(**changes: dict) -> TrainRecipe:
    """The recipe, with some fields of its tables changed."""
    table = copy.deepcopy(TABLE)
    for name, fields in changes.items():
        if isinstance(fields, dict):
            table[name] |= fields
        else:
            table[name] = fields
    return parse_train_recipe(table)


@pytest.fixture
def recipe() -> TrainRecipe:
    return micro()


@pytest.fixture(scope="session")
def make():
    return micro
