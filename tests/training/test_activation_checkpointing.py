"""Recomputed blocks give the same gradients as kept ones, and keep less."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from llm_course.model.attention import fused_attention, scaled_dot_product_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.training.activation_checkpointing import (
    checkpoint_activations,
    recompute,
    saved_memory,
)
from llm_course.training.loss import next_token_loss


def tiny(n_layers: int = 3, **changes) -> Decoder:
    sizes = {"vocab_size": 11, "context_length": 16, "d_model": 16, "n_heads": 2, "d_ff": 40}
    # With a learned bias PyTorch chooses its kernel by whether gradients are asked for, and the
    # first pass asks for none: it would round differently.
    attend = scaled_dot_product_attention if changes.get("position") == "t5" else fused_attention
    return Decoder(DecoderConfig(**sizes, n_layers=n_layers, **changes), attend)


def tokens(rows: int = 3) -> Tensor:
    return torch.randint(11, (rows, 16), generator=torch.Generator().manual_seed(0))


def gradients(model: Decoder, precision: torch.dtype | None = None) -> tuple[Tensor, list[Tensor]]:
    read = tokens()
    with torch.autocast("cpu", precision or torch.bfloat16, enabled=precision is not None):
        loss = next_token_loss(model, read, read.roll(-1, 1))
    loss.backward()
    return loss.detach(), [weight.grad for weight in model.parameters()]


@pytest.mark.parametrize("position", ["rope", "t5", "learned"])
@pytest.mark.parametrize("precision", [None, torch.bfloat16])
def test_losses_and_gradients_are_identical(position, precision):
    kept = tiny(position=position)
    again = copy.deepcopy(kept)
    checkpoint_activations(again)
    one, other = gradients(kept, precision), gradients(again, precision)
    assert torch.equal(one[0], other[0])
    for (name, _), got, expected in zip(kept.named_parameters(), other[1], one[1], strict=True):
        assert torch.equal(got, expected), name
        assert expected.abs().max() > 0, name


@pytest.mark.parametrize("n_layers", [2, 4])
def test_less_is_kept(n_layers):
    read, sizes = tokens(), {}
    for name in ("kept", "again"):
        model = tiny(n_layers)
        if name == "again":
            checkpoint_activations(model)
        with saved_memory(*model.parameters()) as saved:
            model.features(read)
        sizes[name] = saved.n_bytes
    # Of each block the input alone, ``b t d`` in fp32; the norm at the end keeps a little more.
    inputs = n_layers * 3 * 16 * 16 * 4
    end = 3 * 16 * (2 * 16 + 1) * 4
    mask = 16 * 16
    ids = 3 * 16 * 8
    assert inputs <= sizes["again"] <= inputs + end + mask + ids
    assert sizes["again"] < sizes["kept"] / 5


def test_saved_memory_is_that_of_torchs_own_checkpoints():
    layer = nn.Sequential(nn.Linear(8, 64), nn.GELU(), nn.Linear(64, 8))
    x = torch.randn(5, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    weights = tuple(layer.parameters())
    with saved_memory(*weights) as ours:
        one = recompute(layer, x, weights=weights)
    # torch's has no hooks to count within it: what is alive is the input.
    other = checkpoint(layer, x, use_reentrant=False)
    assert ours.n_bytes == x.numel() * 4
    found = [torch.autograd.grad(out.square().sum(), [x, *weights]) for out in (one, other)]
    assert all(map(torch.equal, *found))


def test_everything_is_computed_twice_and_nothing_without_gradients():
    calls = []

    def function(x: Tensor) -> Tensor:
        calls.append(torch.is_grad_enabled())
        return x.exp()

    x = torch.ones(2, requires_grad=True)
    out = recompute(function, x, weights=())
    assert calls == [False]
    out.sum().backward()
    assert calls == [False, True]
    with torch.no_grad():
        recompute(function, x, weights=())
    assert calls == [False, True, False]


def test_other_inputs_than_tensors_and_one_that_is_not_used():
    x, unused = torch.ones(2, requires_grad=True), torch.ones(1, requires_grad=True)
    mask = torch.tensor([True, False])
    out = recompute(
        lambda x, mask, factor, nothing, unused: x.where(mask, 0.0) * factor,
        x, mask, 3.0, None, unused, weights=(),
    )  # fmt: skip
    out.sum().backward()
    assert x.grad.tolist() == [3.0, 0.0]
    assert unused.grad is None or unused.grad.item() == 0.0


def test_frozen_weights_get_no_gradient_and_names_stay():
    model = tiny()
    names = list(model.state_dict())
    model.blocks[0].requires_grad_(False)
    expected = copy.deepcopy(model)
    checkpoint_activations(model)
    for made in (model, expected):
        gradients(made)
    assert list(model.state_dict()) == names
    for (name, got), other in zip(model.named_parameters(), expected.parameters(), strict=True):
        assert (got.grad is None) == name.startswith("blocks.0"), name
        assert got.grad is None or torch.equal(got.grad, other.grad), name


def test_twice_is_refused():
    model = tiny()
    checkpoint_activations(model)
    with pytest.raises(ValueError, match="model: expected one without checkpoints, got one that"):
        checkpoint_activations(model)


def test_a_storage_counts_once():
    x = torch.ones(4, requires_grad=True)
    with saved_memory() as saved:
        _ = x * x.view(2, 2).flatten() * x
    assert saved.n_bytes == 4 * 4 * 2, "x itself, and the product of the first two"
