"""Mixed precision: what is computed in which format, and the underflow that a scale cures."""

import copy

import pytest
import torch
from torch import Tensor, nn

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import train
from llm_course.training.loss import cross_entropy, shift
from llm_course.training.loss_scaling import LossScaler
from llm_course.training.precision import mixed_precision, scaler_for


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.half)])
def test_products_are_narrow_and_weights_and_gradients_wide(precision, dtype):
    layer, x = nn.Linear(4, 3), torch.ones(2, 4)
    with mixed_precision(precision):
        out = layer(x)
        surprise = cross_entropy(out, torch.tensor([0, 2]))
    assert out.dtype == dtype
    assert surprise.dtype == torch.float32, "the loss stays wide"
    surprise.backward()
    assert layer.weight.dtype == layer.weight.grad.dtype == torch.float32


def test_fp32_leaves_the_dtype_of_the_factors():
    with mixed_precision("fp32"):
        assert (torch.ones(1, 1).double() @ torch.ones(1, 1).double()).dtype == torch.float64


def test_only_fp16_scales_its_loss():
    assert isinstance(scaler_for("fp16"), LossScaler)
    assert scaler_for("bf16") is scaler_for("fp32") is None


def test_an_unknown_precision_is_refused():
    for function in (mixed_precision, scaler_for):
        with pytest.raises(ValueError, match=r"precision: expected one of .* got 'fp8'"):
            function("fp8")


def gradient_of_small_slopes(scaler: LossScaler | None) -> Tensor:
    """The gradient, through a layer in fp16, of a loss whose slopes are about 1e-8.

    With all inputs 1 it is the slope itself: each is 3e-9 * (1 + column), below fp16's 6e-8.
    """
    layer = nn.Linear(8, 8, bias=False)
    x, slopes = torch.ones(1, 8), 3e-9 * torch.arange(1, 9)
    with mixed_precision("fp16"):
        out = layer(x)
    loss = (out.float() * slopes).sum()
    (loss if scaler is None else scaler.scale_loss(loss)).backward()
    if scaler is not None:
        assert scaler.unscale([layer.weight])
    return layer.weight.grad[:, 0]


def test_small_gradients_vanish_in_fp16_and_a_scale_brings_them_back():
    slopes = 3e-9 * torch.arange(1, 9)
    assert torch.count_nonzero(gradient_of_small_slopes(None)) == 0, "the underflow"
    scaled = gradient_of_small_slopes(LossScaler(initial_scale=2.0**16))
    torch.testing.assert_close(scaled, slopes, rtol=1e-3, atol=0)
    little = gradient_of_small_slopes(LossScaler(initial_scale=2.0**2))
    assert 0 < torch.count_nonzero(little) < 8 or (little - slopes).abs().max() > 1e-9


def test_a_small_step_is_lost_in_bf16_weights_and_kept_in_master_weights():
    weight, steps = torch.ones(1), 64
    narrow, master = weight.bfloat16(), weight.clone()
    for _ in range(steps):
        narrow -= 1e-3  # 1 - 0.001 is nearer to 1 than to the number before it, 0.9961
        master -= 1e-3
    assert narrow.item() == 1.0, "64 steps that were all rounded away"
    assert master.item() == pytest.approx(1 - 0.064, abs=1e-6)
    assert master.bfloat16().item() == pytest.approx(0.936, abs=2**-9)


def tiny() -> Decoder:
    sizes = {"vocab_size": 7, "context_length": 16, "d_model": 16, "n_layers": 2, "n_heads": 2}
    return Decoder(DecoderConfig(**sizes, d_ff=24))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_training_in_16_bits_follows_training_in_32(precision):
    rows = torch.stack([torch.arange(7).roll(i).repeat(3) for i in range(7)])
    batches = [shift(rows[:, :14])] * 40
    numbers = {"n_steps": 40, "learning_rate": 0.02, "warmup_steps": 4}
    start = tiny()
    histories = {
        name: train(copy.deepcopy(start), batches, TrainingConfig(**numbers, precision=name))
        for name in ("fp32", precision)
    }
    exact = [record.loss for record in histories["fp32"]]
    rounded = [record.loss for record in histories[precision]]
    assert exact != rounded
    assert rounded == pytest.approx(exact, abs=0.06)
    assert rounded[-1] < 0.1 < 1.5 < rounded[0]
