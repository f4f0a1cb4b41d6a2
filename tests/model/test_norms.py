"""LayerNorm and RMSNorm against PyTorch's."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from llm_course.model.norms import NORMS, LayerNorm, RMSNorm, layer_norm, rms_norm

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.float16: 4e-3, torch.bfloat16: 3e-2}


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("eps", [1e-6, 0.3])
def test_layer_norm_equals_torch(dtype, eps):
    x, weight, bias = draw(2, 5, 8, dtype=dtype) + 3, draw(8, seed=1).to(dtype), draw(8).to(dtype)
    ours = layer_norm(x, weight, bias, eps)
    assert ours.dtype == dtype
    expected = F.layer_norm(x, (8,), weight, bias, eps)
    torch.testing.assert_close(ours, expected, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("eps", [1e-6, 0.3])
def test_rms_norm_equals_torch(dtype, eps):
    x, weight = draw(2, 5, 8, dtype=dtype) + 3, draw(8, seed=1).to(dtype)
    ours = rms_norm(x, weight, eps)
    assert ours.dtype == dtype
    expected = F.rms_norm(x, (8,), weight, eps)
    torch.testing.assert_close(ours, expected, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
def test_modules_equal_torch_with_copied_weights(name):
    theirs = {"layer_norm": nn.LayerNorm, "rms_norm": nn.RMSNorm}[name](8, eps=1e-3)
    ours = NORMS[name](8, eps=1e-3)
    with torch.no_grad():
        for seed, weight in enumerate(theirs.parameters()):
            weight.copy_(draw(8, seed=seed))
    ours.load_state_dict(theirs.state_dict())
    x = draw(2, 5, 8, dtype=torch.float32)
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=0)


def test_modules_start_as_the_plain_norm():
    assert LayerNorm(3).state_dict().keys() == {"weight", "bias"}
    assert RMSNorm(3).state_dict().keys() == {"weight"}
    x = draw(4, 3, dtype=torch.float32)
    torch.testing.assert_close(LayerNorm(3)(x), F.layer_norm(x, (3,)), atol=1e-5, rtol=0)
    torch.testing.assert_close(RMSNorm(3)(x), F.rms_norm(x, (3,), eps=1e-5), atol=1e-5, rtol=0)


def test_gradients():
    x, weight, bias = (draw(2, 4, seed=s).requires_grad_() for s in range(3))
    assert torch.autograd.gradcheck(layer_norm, (x, weight[0], bias[0]))
    assert torch.autograd.gradcheck(rms_norm, (x, weight[0]))


@given(st.floats(0.1, 100), st.floats(-100, 100))
def test_layer_norm_ignores_scale_and_shift_rms_norm_only_scale(scale, shift):
    x, ones, zeros = draw(3, 8), torch.ones(8).double(), torch.zeros(8).double()
    plain = layer_norm(x, ones, zeros, eps=0.0)
    torch.testing.assert_close(
        layer_norm(scale * x + shift, ones, zeros, eps=0.0), plain, atol=1e-9, rtol=0
    )
    torch.testing.assert_close(
        rms_norm(scale * x, ones, eps=0.0), rms_norm(x, ones, eps=0.0), atol=1e-9, rtol=0
    )


def test_fp16_does_not_overflow():
    x = torch.full((1, 4), 3e4, dtype=torch.float16)  # its square is beyond fp16's 65,504
    assert rms_norm(x, torch.ones(4, dtype=torch.float16)).tolist() == [[1.0] * 4]


def test_rms_norm_rounds_before_the_weight_like_llama():
    from transformers.models.llama.modeling_llama import LlamaRMSNorm

    theirs = LlamaRMSNorm(64, eps=1e-5).bfloat16()
    with torch.no_grad():
        theirs.weight.copy_(draw(64, seed=1))
    x = draw(3, 64, dtype=torch.bfloat16)
    assert torch.equal(rms_norm(x, theirs.weight, 1e-5), theirs(x)), "bf16: not one bit may differ"
