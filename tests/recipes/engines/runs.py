"""Runs of seconds in fp64, which every rank of a pool can be told to make."""

import copy
from pathlib import Path

import torch

from llm_course.errors import CourseError
from llm_course.recipes.train.recipe import parse_train_recipe
from llm_course.recipes.train.run import run
from llm_course.recipes.train.strategies import make_strategy

TABLE = {
    "name": "shared",
    "seed": 3,
    "model": {
        "context_length": 16, "d_model": 16, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2,
        "d_ff": 24,
    },
    "data": {
        "n_bytes": 12_000, "held_out_bytes": 1500, "tokenizer_bytes": 6000, "vocab_size": 321,
    },
    "training": {
        "n_steps": 6, "learning_rate": 0.01, "warmup_steps": 2, "evaluate_every": 3,
        "max_grad_norm": 0.5,
    },
    "run": {"batch_size": 4, "checkpoint_every": 4, "sample_every": 3},
}  # fmt: skip


def shared(**changes):
    """The recipe, with some fields of its tables changed."""
    table = copy.deepcopy(TABLE)
    for name, fields in changes.items():
        table[name] = table.get(name, {}) | fields
    return parse_train_recipe(table)


def refusal(function, *arguments):
    """How a call is refused; the process stays as it is."""
    try:
        function(*arguments)
    except CourseError as error:
        return f"{type(error).__name__}: {error}"
    return "nothing was refused"


def train_as(strategy, out, changes=None, force=False):
    """A run to its end, in fp64: the result on the first rank, nothing on the others."""
    recipe = shared(**(changes or {}))
    torch.set_default_dtype(torch.float64)
    try:
        made = make_strategy(strategy, "cpu", recipe.parallel)
        return run(recipe, Path(out), strategy=made, force=force)
    finally:
        torch.set_default_dtype(torch.float32)
