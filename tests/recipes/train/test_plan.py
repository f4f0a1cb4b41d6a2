"""Plans against models that are built and work that PyTorch counts."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from llm_course.classroom.course import find_root
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.recipes.train.plan import flops_per_token, plan, plan_lines
from llm_course.recipes.train.recipe import load_train_recipe
from llm_course.training.optimizer import make_optimizer


@pytest.mark.parametrize("tie", [True, False])
def test_the_work_is_what_pytorch_counts(tie):
    sizes = {"vocab_size": 50, "context_length": 32, "d_model": 16, "n_layers": 3, "n_heads": 2}
    config = DecoderConfig(**sizes, d_ff=24, tie_embeddings=tie)
    model = Decoder(config)
    with FlopCounterMode(display=False) as counted:
        model(torch.zeros(2, 32, dtype=torch.int64)).sum().backward()
    norms = 7 * 16  # multiplied element by element, which is not counted there
    expected = (flops_per_token(config, model.n_parameters) - 6 * norms) * 2 * 32
    # The first layer's input needs a gradient too, as embeddings learn: three products each.
    assert counted.get_total_flops() == expected


def test_the_memory_is_that_of_a_training_state(make):
    recipe = make()
    config = recipe.decoder_config(recipe.data.vocab_size)
    model = Decoder(config)
    optimizer = make_optimizer(model, 0.1, fused=False)
    model(torch.zeros(1, 4, dtype=torch.int64)).sum().backward()
    optimizer.step()

    def size(tensors):
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    moments = [
        value
        for kept in optimizer.state.values()
        for value in kept.values()
        if torch.is_tensor(value)
    ]
    assert plan(recipe).state_bytes == {
        "weights": size(model.parameters()),
        "gradients": size(weight.grad for weight in model.parameters()),
        "moments of AdamW": size(moments),
    }


def test_the_presets_have_the_sizes_of_their_names():
    found = {
        name: plan(load_train_recipe(find_root() / "configs" / f"{name}.toml"))
        for name in ("tiny", "course", "100m", "7b")
    }
    assert 0.8e6 < found["tiny"].n_parameters < 1.2e6
    assert found["course"].state_bytes["weights"] < 16e6
    assert 85e6 < found["100m"].n_parameters < 115e6
    assert found["7b"].n_parameters == 6_738_415_616, "LLaMA 2 7B"
    assert found["7b"].n_tokens == 500_000 * 1024 * 4096
    assert "together 107.8 GB" in plan_lines(found["7b"])[1]


def test_hours_are_work_over_speed(make):
    made = plan(make())
    assert made.hours(1e12, 0.5) == pytest.approx(made.flops / 0.5e12 / 3600)
    assert made.hours(1e12, 0.5, n_devices=4) == pytest.approx(made.hours(1e12, 0.5) / 4)
