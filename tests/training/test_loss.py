"""Both losses against PyTorch's, forward and gradients, and the largest tensor they make."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.decoder import Decoder
from llm_course.shapes import ShapeError
from llm_course.training import chunked_loss
from llm_course.training.loss import (
    IGNORE,
    cross_entropy,
    linear_cross_entropy,
    next_token_loss,
    shift,
)

TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-14}
IGNORED = {"none": [], "some": [0, 3, 13], "all of the first chunk": [0, 1, 2, 3]}


def problem(dtype: torch.dtype = torch.float64, ignored=()) -> tuple[Tensor, Tensor, Tensor]:
    """x ``2 7 5``, weight ``11 5``, targets ``2 7``."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 7, 5, generator=generator, dtype=torch.float64)
    weight = torch.randn(11, 5, generator=generator, dtype=torch.float64)
    targets = torch.randint(11, (14,), generator=generator)
    targets[list(ignored)] = IGNORE
    leaves = [tensor.to(dtype).requires_grad_() for tensor in (x, weight)]
    return *leaves, targets.reshape(2, 7)


def torch_loss(x: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(F.linear(x, weight).flatten(0, 1), targets.flatten())


def with_gradients(loss: Tensor, x: Tensor, weight: Tensor) -> list[Tensor]:
    return [loss, *torch.autograd.grad(3.0 * loss, [x, weight])]  # 3: the slope must be used


WAYS = {
    "plain": lambda x, weight, targets: cross_entropy(F.linear(x, weight), targets),
    **{
        f"chunks of {n}": lambda x, weight, targets, n=n: linear_cross_entropy(
            x, weight, targets, chunk_size=n
        )
        for n in (1, 4, 14, 100)
    },
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("ignored", IGNORED)
@pytest.mark.parametrize("way", WAYS)
def test_equals_torch_forward_and_gradients(way, ignored, dtype):
    x, weight, targets = problem(dtype, IGNORED[ignored])
    ours = with_gradients(WAYS[way](x, weight, targets), x, weight)
    theirs = with_gradients(torch_loss(x, weight, targets), x, weight)
    for name, got, expected in zip(("loss", "dx", "dweight"), ours, theirs, strict=True):
        torch.testing.assert_close(
            got, expected, atol=TOLERANCE[dtype], rtol=0, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.mark.parametrize("way", WAYS)
def test_gradcheck(way):
    x, weight, targets = problem(ignored=[2])
    assert torch.autograd.gradcheck(lambda x, w: WAYS[way](x, w, targets), (x, weight))


def test_a_second_derivative_is_refused():
    x, weight, targets = problem()
    loss = linear_cross_entropy(x, weight, targets, chunk_size=4)
    with pytest.raises(RuntimeError, match="create_graph: expected False"):
        torch.autograd.grad(loss, x, create_graph=True)


@pytest.mark.parametrize("way", WAYS)
def test_large_logits_do_not_overflow(way):
    x, weight, targets = problem(torch.float32)
    loss = WAYS[way](1e4 * x, weight, targets)
    expected = torch_loss(1e4 * x.double(), weight.double(), targets)
    torch.testing.assert_close(loss.double(), expected, atol=0, rtol=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_uniform_logits_cost_the_logarithm_of_the_vocabulary(way):
    x, weight, targets = problem()
    assert WAYS[way](x, 0 * weight, targets).item() == pytest.approx(math.log(11), abs=1e-14)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_counts_is_a_loss_of_zero_without_slope(way):
    x, weight, targets = problem(ignored=range(14))
    loss, *gradients = with_gradients(WAYS[way](x, weight, targets), x, weight)
    assert loss.item() == 0.0
    assert all(gradient.abs().max() == 0 for gradient in gradients)


def test_another_ignore_index():
    x, weight, targets = problem()
    expected = F.cross_entropy(F.linear(x, weight).flatten(0, 1), targets.flatten(), ignore_index=9)
    assert (targets == 9).any()
    for loss in (
        cross_entropy(F.linear(x, weight), targets, ignore_index=9),
        linear_cross_entropy(x, weight, targets, ignore_index=9),
    ):
        torch.testing.assert_close(loss, expected, atol=1e-14, rtol=0)


@pytest.mark.parametrize("frozen", ["x", "weight"])
def test_only_the_gradient_that_is_needed(frozen):
    x, weight, targets = problem()
    (x if frozen == "x" else weight).requires_grad_(False)
    linear_cross_entropy(x, weight, targets, chunk_size=4).backward()
    learnt, other = (weight, x) if frozen == "x" else (x, weight)
    expected = torch.autograd.grad(torch_loss(x, weight, targets), learnt)[0]
    torch.testing.assert_close(learnt.grad, expected, atol=1e-14, rtol=0)
    assert other.grad is None


def test_without_gradients_none_is_computed():
    x, weight, targets = problem()
    with torch.no_grad(), Recorder() as recorder:
        loss = linear_cross_entropy(x, weight, targets)
    assert not loss.requires_grad
    assert "aten.mm" in recorder.names and "aten.addmm_" not in recorder.names
    with Recorder() as recorder:
        linear_cross_entropy(x, weight, targets)
    assert "aten.addmm_" in recorder.names, "the name of what must not be there"


class Recorder(TorchDispatchMode):
    """The largest tensor that any operation returned, forward and backward, and their names."""

    def __init__(self):
        super().__init__()
        self.largest, self.names = 0, set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        sizes = [leaf.numel() for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        self.largest = max([self.largest, *sizes])
        self.names.add(str(func.overloadpacket))
        return result


class Multiplied(TorchDispatchMode):
    """The dtypes of all matrix products."""

    def __init__(self):
        super().__init__()
        self.dtypes = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if "mm" in str(func.overloadpacket):
            self.dtypes.add(args[-1].dtype)
        return result


@pytest.mark.parametrize("narrow", [False, True])
def test_no_tensor_is_as_large_as_the_logits(narrow):
    n_rows, vocab_size, d_model, chunk_size = 96, 50, 4, 8
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n_rows, d_model, generator=generator).requires_grad_()
    weight = torch.randn(vocab_size, d_model, generator=generator).requires_grad_()
    targets = torch.randint(vocab_size, (n_rows,), generator=generator)
    largest = {}
    for name, way in {
        "plain": lambda: torch_loss(x[None], weight, targets[None]),
        "chunked": lambda: linear_cross_entropy(x, weight, targets, chunk_size=chunk_size),
    }.items():
        with Recorder() as recorder, torch.autocast("cpu", torch.bfloat16, enabled=narrow):
            way().backward()
        largest[name] = recorder.largest
    assert largest["plain"] == n_rows * vocab_size, "the recorder must see the logits"
    # One chunk of logits, and no more than x or the gradient of the weight.
    assert largest["chunked"] == max(chunk_size * vocab_size, n_rows * d_model)


@pytest.mark.parametrize("emulates", [False, True])
def test_under_autocast_it_multiplies_in_bfloat16_and_sums_in_fp32(emulates, monkeypatch):
    """A CPU that only emulates bf16 multiplies in fp32 instead, which is no less exact."""
    monkeypatch.setattr(chunked_loss, "_emulates_bf16", lambda: emulates)
    x, weight, targets = problem(torch.float32)
    with torch.autocast("cpu", torch.bfloat16), Multiplied() as multiplied:
        ours = with_gradients(linear_cross_entropy(x, weight, targets, chunk_size=4), x, weight)
    assert multiplied.dtypes == {torch.float32 if emulates else torch.bfloat16}
    with torch.autocast("cpu", torch.bfloat16):
        theirs = with_gradients(torch_loss(x, weight, targets), x, weight)
    exact = with_gradients(torch_loss(x, weight, targets), x, weight)
    for got, rounded, expected in zip(ours, theirs, exact, strict=True):
        assert got.dtype == torch.float32
        error, usual = (got - expected).abs().max(), (rounded - expected).abs().max()
        assert 0 < error < max(2 * usual, 1e-3), "as exact as PyTorch's under autocast"


def test_half_precision_gives_a_wide_loss():
    x, weight, targets = problem(torch.bfloat16)
    for way in WAYS.values():
        loss = way(x, weight, targets)
        assert loss.dtype == torch.float32
        expected = torch_loss(x.double(), weight.double(), targets)
        assert abs(loss.item() - expected.item()) < 2e-2


def test_a_scaled_loss_in_half_precision_does_not_underflow():
    generator = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(n, 8, generator=generator).half() for n in (2**16, 64))
    targets = torch.randint(64, (2**16,), generator=generator)
    gradients = []
    for dtype in (torch.float16, torch.float64):
        leaves = [tensor.detach().to(dtype).requires_grad_() for tensor in (x, weight)]
        loss = linear_cross_entropy(*leaves, targets) if dtype == torch.float16 else (
            F.cross_entropy(F.linear(*leaves), targets)
        )  # fmt: skip
        gradients.append(torch.autograd.grad(2.0**16 * loss, leaves))
    for got, expected in zip(*gradients, strict=True):
        assert (got.double() - expected).norm() < 5e-3 * expected.norm()


@pytest.mark.parametrize("tie", [True, False])
def test_next_token_loss_equals_torch_on_the_decoders_logits(tie):
    config = DecoderConfig(
        vocab_size=13, context_length=8, d_model=8, n_layers=2, n_heads=2, d_ff=6,
        tie_embeddings=tie, position="t5", wiring=Wiring(output_scale=0.3),
    )  # fmt: skip
    model = Decoder(config).double()
    tokens, targets = shift(torch.randint(13, (3, 9), generator=torch.Generator().manual_seed(0)))
    names, parameters = zip(*model.named_parameters(), strict=True)
    ours = next_token_loss(model, tokens, targets, chunk_size=5)
    theirs = F.cross_entropy(model(tokens).flatten(0, 1), targets.flatten())
    torch.testing.assert_close(ours, theirs, atol=1e-13, rtol=0)
    gradients = [torch.autograd.grad(loss, parameters) for loss in (ours, theirs)]
    for name, got, expected in zip(names, *gradients, strict=True):
        torch.testing.assert_close(
            got, expected, atol=1e-13, rtol=0, msg=lambda m, n=name: f"{n}: {m}"
        )


def test_what_does_not_fit_is_refused():
    x, weight, targets = problem()
    for way in WAYS.values():
        with pytest.raises(ShapeError, match=r"targets: expected one for each row of .*\(2, 6\)"):
            way(x, weight, targets[:, :6])
        with pytest.raises(ValueError, match=r"expected 0 to vocab_size - 1 = 10 .* got .* to 11"):
            way(x, weight, torch.full((2, 7), 11))
        with pytest.raises(ValueError, match=r"or ignore_index=-100, got -1 to -1"):
            way(x, weight, torch.full((2, 7), -1))
        with pytest.raises(TypeError, match="targets: expected int64 or int32 ids, got .*float32"):
            way(x, weight, targets.float())
        assert way(x, weight, targets.int()) == way(x, weight, targets)
    with pytest.raises(ShapeError, match="weight: expected d=5, got 4"):
        linear_cross_entropy(x, torch.zeros(11, 4), targets)
    with pytest.raises(ValueError, match="chunk_size: expected at least 1, got 0"):
        linear_cross_entropy(x, weight, targets, chunk_size=0)
    with pytest.raises(ShapeError, match="tokens: expected 2 axes"):
        shift(torch.zeros(3))
