"""The dynamic loss scaler against ``torch.amp.GradScaler``, step by step."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from llm_course.training.loss_scaling import LossScaler, ScaleState, unscale, update_scale

SETTINGS = {
    "initial_scale": 2.0**6,
    "growth_factor": 4.0,
    "backoff_factor": 0.25,
    "growth_interval": 3,
}


def compare_with_torch(overflows: list[bool], settings: dict[str, float]) -> list[bool]:
    """Both scalers on the same gradients; which steps were made."""
    theirs = torch.amp.GradScaler(
        "cpu",
        init_scale=settings["initial_scale"],
        **{name: settings[name] for name in settings if name != "initial_scale"},
    )
    ours, made = LossScaler(**settings), []
    one, other = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    sgd = torch.optim.SGD([other], lr=0.25)
    for overflow in overflows:
        slopes = torch.tensor([0.5, math.inf if overflow else -0.125])
        one.grad = other.grad = None
        ours.scale_loss(one @ slopes).backward()
        theirs.scale(other @ slopes).backward()
        assert torch.equal(one.grad, other.grad)
        before = other.detach().clone()
        theirs.step(sgd)
        theirs.update()
        finite = ours.unscale([one])
        if finite:
            one.data -= 0.25 * one.grad
        ours.update(finite)
        assert torch.equal(one, other), "a step that is left out by one alone"
        assert finite == (not torch.equal(before, other))
        assert ours.scale == theirs.get_scale()
        assert ours.state.good_steps == theirs.state_dict()["_growth_tracker"]
        made.append(finite)
    return made


def test_equals_torch_step_by_step():
    overflows = [False] * 4 + [True, True] + [False] * 7 + [True] + [False] * 3
    made = compare_with_torch(overflows, SETTINGS)
    assert made == [not overflow for overflow in overflows]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.booleans(), max_size=25),
    st.integers(1, 4),
    st.sampled_from([2.0**16, 1.0, 2.0**126]),
)
def test_equals_torch_on_any_history(overflows, interval, scale):
    numbers = {"growth_interval": interval, "initial_scale": scale}
    compare_with_torch(overflows, SETTINGS | numbers | {"growth_factor": 2.0})


def test_it_does_not_grow_to_infinity():
    state = ScaleState(2.0**127, 0)
    assert update_scale(state, True, growth_interval=1) == ScaleState(2.0**127, 0)


def test_it_goes_on_from_its_state():
    one, other = LossScaler(growth_interval=5), LossScaler(growth_interval=5)
    for finite in (True, False, True, True):
        one.update(finite)
    other.load_state_dict(one.state_dict())
    assert (other.scale, other.state) == (2.0**15, ScaleState(2.0**15, 2))
    for finite in (True, True, True):
        one.update(finite)
        other.update(finite)
    assert one.state == other.state == ScaleState(2.0**16, 0)


def test_unscaling_tells_overflow_in_any_gradient():
    assert unscale([torch.tensor([4.0]), torch.tensor([8.0])], 4.0)
    for spoiler in (math.inf, -math.inf, math.nan):
        assert not unscale([torch.tensor([4.0]), torch.tensor([1.0, spoiler])], 4.0)
    assert LossScaler().unscale([nn.Parameter(torch.ones(1))]), "no gradient is no overflow"


@pytest.mark.parametrize(
    ("field", "number"),
    [
        ("initial_scale", 0.0),
        ("initial_scale", math.inf),
        ("growth_factor", 1.0),
        ("backoff_factor", 1.0),
        ("backoff_factor", 0.0),
        ("growth_interval", 0),
    ],
)
def test_a_number_out_of_range(field, number):
    with pytest.raises(ValueError, match=f"{field}: expected .* got {number}"):
        LossScaler(**{field: number})
