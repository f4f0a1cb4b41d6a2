"""The norm of a gradient in parts against PyTorch's of the whole."""

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Replicate, Shard, distribute_tensor

from llm_course.recipes.engines.sharded_clipping import clip_sharded

SHAPES, PLACES = [(5, 3), (4, 2), (3,)], [Shard(0), Shard(1), Replicate()]


def wholes():
    generator = torch.Generator().manual_seed(7)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in SHAPES]


def clip_parts(max_norm):
    """Divided by rows, unevenly, by columns, copied; and a plain one that rank 0 counts."""
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    weights = []
    for whole, place in zip(wholes(), PLACES, strict=True):
        weight = nn.Parameter(distribute_tensor(torch.zeros_like(whole), mesh, [place]))
        weight.grad = distribute_tensor(whole, mesh, [place])
        weights.append(weight)
    plain = nn.Parameter(torch.zeros(2, dtype=torch.float64))
    plain.grad = torch.tensor([3.0, 4.0], dtype=torch.float64)
    elsewhere = [plain] if dist.get_rank() > 0 else []
    norm = clip_sharded([*weights, plain], max_norm, torch.device("cpu"), elsewhere)
    return norm.item(), [weight.grad.full_tensor() for weight in weights] + [plain.grad]


@pytest.mark.parametrize("max_norm", [0.5, 1000.0, None])
def test_the_norm_and_the_gradient_are_those_of_the_whole(two_ranks, max_norm):
    expected = [nn.Parameter(torch.zeros_like(whole)) for whole in wholes()]
    for weight, whole in zip(expected, wholes(), strict=True):
        weight.grad = whole
    expected.append(nn.Parameter(torch.zeros(2, dtype=torch.float64)))
    expected[-1].grad = torch.tensor([3.0, 4.0], dtype=torch.float64)
    norm = nn.utils.clip_grad_norm_(expected, max_norm or float("inf"))
    for found, gradients in two_ranks.run(clip_parts, max_norm):
        assert found == pytest.approx(norm.item(), abs=1e-12)
        for gradient, weight in zip(gradients, expected, strict=True):
            torch.testing.assert_close(gradient, weight.grad, atol=1e-12, rtol=0)


@pytest.mark.parametrize("max_norm", [0.0, -1.0, float("nan")])
def test_a_norm_that_nothing_fits_is_refused(max_norm):
    with pytest.raises(ValueError, match="max_norm: expected a positive number or None"):
        clip_sharded([], max_norm, torch.device("cpu"))
