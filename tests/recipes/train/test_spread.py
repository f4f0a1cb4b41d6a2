"""Plans for many GPUs against what the engines really allocate, and against published figures."""

import pytest
import torch

from llm_course.classroom.course import find_root
from llm_course.errors import CourseError
from llm_course.model.attention import fused_attention
from llm_course.model.decoder import Decoder
from llm_course.parallel.launcher import RankPool
from llm_course.parallel.memory import saved_bytes
from llm_course.recipes.train.plan import planned_config
from llm_course.recipes.train.recipe import load_train_recipe
from llm_course.recipes.train.spread import Machines, activation_bytes, spread, spread_lines
from llm_course.recipes.train.strategies import make_strategy
from llm_course.training.activation_checkpointing import checkpoint_activations
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import train
from llm_course.training.loss import next_token_loss
from llm_course.training.state import begin_training


def preset(name):
    return load_train_recipe(find_root() / "configs" / f"{name}.toml")


def local(tensor):
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def allocated(strategy):
    """Bytes of weights, gradients and moments of a rank after a step of the tiny preset."""
    config = planned_config(preset("tiny"))
    engine, model = make_strategy(strategy, "cpu"), Decoder(config, fused_attention)
    settings = TrainingConfig(n_steps=1, learning_rate=0.01)
    state = begin_training(model, settings, engine.prepare(model))
    tokens = torch.randint(config.vocab_size, (2, 8), generator=torch.Generator().manual_seed(0))
    train(model, [(tokens, tokens)], settings, strategy=engine, state=state)
    moments = [
        local(value)
        for kept in state.optimizer.state.values()
        for value in kept.values()
        if value.dim() > 0
    ]
    weights = [local(weight) for weight in model.parameters()]
    gradients = [local(weight.grad) for weight in model.parameters()]
    return [sum(t.numel() * t.element_size() for t in kept)
            for kept in (weights, gradients, moments)]  # fmt: skip


LAYOUTS = {
    "ddp": {},
    "fsdp": {"zero": 3},
    "tensor": {"tensor": 2},
    "pipeline": {"pipeline": 2},
}


def test_the_engines_allocate_what_is_planned():
    recipe = preset("tiny")
    with RankPool(2) as pool:
        for strategy, layout in LAYOUTS.items():
            ranks = pool.run(allocated, strategy)
            planned = spread(recipe, Machines(n_gpus=2, **layout))
            expected = [planned.weights, planned.gradients, planned.optimizer]
            assert max(ranks, key=sum) == expected, strategy


@pytest.mark.parametrize("rows", [1, 4])
def test_activations_are_estimated_to_a_tenth(rows):
    config = planned_config(preset("tiny"))
    model = Decoder(config, fused_attention)
    tokens = torch.zeros(rows, config.context_length, dtype=torch.int64)
    with saved_bytes(model.parameters()) as saved:
        loss = next_token_loss(model, tokens, tokens)
        found = saved.total
    assert loss.isfinite()
    estimate = activation_bytes(config, Machines(n_gpus=1), rows, recompute=False)
    # On top come masks, angles, and the gradient of the output matrix, whatever the rows.
    fixed = 4 * config.vocab_size * config.d_model
    assert estimate < found < 1.1 * estimate + fixed


def test_recomputed_activations_are_estimated_to_a_tenth():
    """Kept are the inputs of all blocks; the inside of one comes on top, once it is computed."""
    config = planned_config(preset("tiny"))
    model = Decoder(config, fused_attention)
    checkpoint_activations(model)
    tokens = torch.zeros(4, config.context_length, dtype=torch.int64)
    with saved_bytes(model.parameters()) as saved:
        loss = next_token_loss(model, tokens, tokens)
        found = saved.total
    assert loss.isfinite()
    whole = activation_bytes(config, Machines(n_gpus=1), 4, recompute=False)
    kept = activation_bytes(config, Machines(n_gpus=1), 4, recompute=True)
    stream = 4 * 4 * config.context_length * config.d_model
    inside = (whole - 4 * stream) / config.n_layers
    fixed = 4 * config.vocab_size * config.d_model
    assert kept - inside < found < 1.1 * (kept - inside) + fixed


def test_the_large_preset_fits_where_it_is_divided():
    recipe = preset("7b")
    for zero, expected in ((0, 16), (1, 8 + 8 / 64), (2, 4 + 12 / 64), (3, 16 / 64)):
        found = spread(recipe, Machines(n_gpus=64, zero=zero))
        state = found.weights + found.gradients + found.optimizer
        assert state == pytest.approx(expected * 6_738_415_616)
    deep = spread(recipe, Machines(n_gpus=64, tensor=8, pipeline=4))
    # 1/4 of the blocks and the embedding or output matrix, in 8 parts, and whole norms.
    blocks = 8 * (4 * 4096**2 + 3 * 4096 * 11_008) + 32_000 * 4096
    assert deep.n_parameters == blocks // 8 + (2 * 8 + 1) * 4096


def test_a_step_is_work_bubble_and_traffic():
    recipe = preset("7b")
    alone = spread(recipe, Machines(n_gpus=1, bandwidth=1.0))
    assert alone.sent == 0
    work = Machines(n_gpus=1).peak_flops * 0.4 * alone.seconds
    many = spread(recipe, Machines(n_gpus=64, zero=3))
    sent = 63 / 64 * (2 * 16 + 1) * 4 * 6_738_415_616  # gathered twice for each of 16 parts
    assert many.sent == pytest.approx(sent)
    assert many.seconds == pytest.approx(work / 64 / (989e12 * 0.4) + sent / 50e9)
    assert many.tokens_per_second == pytest.approx(1024 * 4096 / many.seconds)
    piped = spread(recipe, Machines(n_gpus=4, pipeline=4, n_microbatches=8, bandwidth=1e30))
    assert piped.seconds == pytest.approx(work / 4 / (989e12 * 0.4) / (1 - 3 / 11))


def test_the_lines_name_the_layout():
    machines = Machines(n_gpus=64, zero=3, tensor=2)
    lines = spread_lines(spread(preset("7b"), machines), machines)
    assert lines[0] == "64 GPUs: 32 data (ZeRO 3) x 2 tensor x 1 pipeline"
    assert "tokens a second" in lines[2]


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"n_gpus": 0}, "--gpus: expected 1 or more, got 0"),
        ({"n_gpus": 8, "zero": 4}, "--zero: expected 0, 1, 2 or 3, got 4"),
        ({"n_gpus": 8, "tensor": 3}, "--gpus: expected a multiple of tensor .* = 3, got 8"),
        ({"n_gpus": 3}, "batch_size: expected a multiple of data .* = 3, got 4"),
        ({"n_gpus": 8, "tensor": 8}, "n_heads: expected a multiple of 8"),
        ({"n_gpus": 6, "pipeline": 6}, "batch_size: expected a multiple of .* 6, got 4"),
        (
            {"n_gpus": 6, "pipeline": 6, "n_microbatches": 4},
            "--pipeline: n_stages: expected 1 to n_layers=5, got 6",
        ),
    ],
)
def test_what_cannot_be_laid_out_is_refused(layout, message):
    with pytest.raises(CourseError, match=message):
        spread(preset("tiny"), Machines(**layout))
