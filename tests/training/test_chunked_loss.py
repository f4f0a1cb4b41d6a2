"""The z-loss of both losses against PyTorch's autograd; the rest is in ``test_loss``."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.training.chunked_loss import linear_cross_entropy
from llm_course.training.loss import IGNORE, cross_entropy, next_token_loss

WAYS = {
    "plain": lambda x, w, targets, z: cross_entropy(F.linear(x, w), targets, z_weight=z),
    **{
        f"chunks of {n}": lambda x, w, targets, z, n=n: linear_cross_entropy(
            x, w, targets, chunk_size=n, z_weight=z
        )
        for n in (1, 3, 100)
    },
}


def problem(n_ignored: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """x ``10 5``, weight ``11 5``, targets ``10``, in fp64."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(10, 5, generator=generator, dtype=torch.float64).requires_grad_()
    weight = torch.randn(11, 5, generator=generator, dtype=torch.float64).requires_grad_()
    targets = torch.randint(11, (10,), generator=generator)
    targets[:n_ignored] = IGNORE
    return x, weight, targets


def by_autograd(logits: Tensor, targets: Tensor, z: float) -> Tensor:
    normaliser = logits.logsumexp(-1)[targets != IGNORE]
    return F.cross_entropy(logits, targets) + z * normaliser.pow(2).mean()


@pytest.mark.parametrize("n_ignored", [0, 4])
@pytest.mark.parametrize("z", [0.0, 1e-4, 0.7])
@pytest.mark.parametrize("way", WAYS)
def test_the_z_loss_and_its_gradients_equal_autograds(way, z, n_ignored):
    x, weight, targets = problem(n_ignored)
    ours = WAYS[way](x, weight, targets, z)
    theirs = by_autograd(x @ weight.T, targets, z)
    torch.testing.assert_close(ours, theirs, atol=1e-13, rtol=0)
    gradients = [torch.autograd.grad(3.0 * loss, [x, weight]) for loss in (ours, theirs)]
    for got, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(got, expected, atol=1e-13, rtol=0)
    if z == 0.7:
        without = torch.autograd.grad(3.0 * WAYS[way](x, weight, targets, 0.0), x)[0]
        assert (gradients[0][0] - without).abs().max() > 0.1, "the z-loss must be felt"


@pytest.mark.parametrize("way", WAYS)
def test_gradcheck_with_a_z_loss(way):
    x, weight, targets = problem(2)
    assert torch.autograd.gradcheck(lambda x, w: WAYS[way](x, w, targets, 0.3), (x, weight))


def test_it_pulls_a_common_shift_of_the_logits_back_to_zero():
    shift = torch.tensor(4.0, dtype=torch.float64, requires_grad=True)
    logits, targets = torch.zeros(1, 3, dtype=torch.float64), torch.tensor([1])
    plain = torch.autograd.grad(cross_entropy(logits + shift, targets), shift)[0]
    pulled = torch.autograd.grad(cross_entropy(logits + shift, targets, z_weight=0.01), shift)[0]
    assert plain.item() == pytest.approx(0.0, abs=1e-15), "softmax does not see the shift"
    expected = 2 * 0.01 * (4 + torch.tensor(3.0, dtype=torch.float64).log())
    assert pulled.item() == pytest.approx(expected.item(), abs=1e-14)


def test_a_decoder_is_given_the_z_loss_too():
    sizes = {"vocab_size": 7, "context_length": 6, "d_model": 8, "n_layers": 1, "n_heads": 2}
    model = Decoder(DecoderConfig(**sizes, d_ff=6)).double()
    tokens = torch.randint(7, (2, 6), generator=torch.Generator().manual_seed(0))
    ours = next_token_loss(model, tokens, tokens, chunk_size=5, z_weight=0.2)
    expected = by_autograd(model(tokens).flatten(0, 1), tokens.flatten(), 0.2)
    torch.testing.assert_close(ours, expected, atol=1e-13, rtol=0)
