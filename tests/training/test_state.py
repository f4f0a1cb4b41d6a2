"""A state taken apart and put together again goes on as if nothing had happened."""

import copy

import pytest
import torch

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import train
from llm_course.training.loss import shift
from llm_course.training.state import begin_training, restore_state, state_tensors


def tiny(d_ff: int = 24, **changes) -> Decoder:
    sizes = {"vocab_size": 7, "context_length": 16, "d_model": 16, "n_layers": 2, "n_heads": 2}
    return Decoder(DecoderConfig(**sizes, d_ff=d_ff, **changes))


def config(**changes) -> TrainingConfig:
    return TrainingConfig(**({"n_steps": 6, "learning_rate": 0.02, "warmup_steps": 2} | changes))


def batches():
    generator = torch.Generator().manual_seed(0)
    return [shift(torch.randint(7, (4, 9), generator=generator)) for _ in range(6)]


class Stop(Exception):
    pass


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_it_goes_on_bit_by_bit(fused, precision):
    settings, kept = config(fused=fused, precision=precision), {}

    def keep(state, record):
        if state.step == 3:
            tensors, values = state_tensors(state)
            kept["all"] = copy.deepcopy(tensors), copy.deepcopy(values)

    straight = tiny()
    history = train(straight, batches(), settings, after_step=keep)
    resumed = tiny()
    with torch.no_grad():
        for weight in resumed.parameters():
            weight.fill_(7.0)
    state = begin_training(resumed, settings)
    restore_state(state, *kept["all"])
    assert state.step == 3
    rest = train(resumed, batches()[3:], settings, state=state)
    assert rest == history[3:]
    assert all(map(torch.equal, straight.parameters(), resumed.parameters()))


def test_the_random_numbers_go_on_too():
    state = begin_training(tiny(), config())
    torch.manual_seed(3)
    torch.rand(5)
    tensors, values = state_tensors(state)
    tensors = copy.deepcopy(tensors)
    expected = torch.rand(4)
    torch.rand(9)
    restore_state(state, tensors, values)
    assert torch.equal(torch.rand(4), expected)


def test_the_names_say_what_is_kept():
    model = tiny()
    state = begin_training(model, config(fused=False))
    train(model, batches()[:1], config(n_steps=1, warmup_steps=0, fused=False), state=state)
    tensors, values = state_tensors(state)
    name = "blocks.1.attention.query.weight"
    assert torch.equal(tensors[f"model/{name}"], model.get_parameter(name))
    assert {f"optimizer/{name}/mean", f"optimizer/{name}/square", "random/cpu"} <= tensors.keys()
    assert values["step"] == 1 and values["optimizer"][name] == {"step": 1}
    assert values["scaler"] is None


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"d_ff": 20},
            r"model/blocks.0.feed_forward.down.weight: expected \(16, 20\), got \(16, 24",
        ),
        ({"tie_embeddings": False}, r"model/output.weight: expected \(7, 16\), got no such tensor"),
    ],
)
def test_another_models_tensors_are_refused(other, message):
    kept = state_tensors(begin_training(tiny(), config()))
    with pytest.raises(ValueError, match=message):
        restore_state(begin_training(tiny(**other), config()), *kept)
