"""The gradient in parts against that of the whole batch, with as many targets a part as may be."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.training.accumulation import accumulate_gradient, count_targets
from llm_course.training.loss import IGNORE, next_token_loss, shift


def tiny() -> Decoder:
    sizes = {"vocab_size": 7, "context_length": 16, "d_model": 16, "n_layers": 2, "n_heads": 2}
    return Decoder(DecoderConfig(**sizes, d_ff=24))


def random_batches(n_batches: int, padding=(0, 7, 3, 5)) -> list[tuple[Tensor, Tensor]]:
    """Batches in which each sequence of 8 has another number of targets that count."""
    generator = torch.Generator().manual_seed(0)
    batches = []
    for _ in range(n_batches):
        tokens, targets = shift(torch.randint(7, (len(padding), 9), generator=generator))
        targets = targets.clone()
        for row, n_padding in enumerate(padding):
            targets[row, 8 - n_padding :] = IGNORE
        batches.append((tokens, targets))
    return batches


def plain_loss(model: nn.Module, tokens: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(model(tokens).flatten(0, 1), targets.flatten())


@pytest.mark.parametrize("n_parts", [1, 2, 3, 4, 9])
def test_the_gradient_in_parts_is_that_of_the_whole_batch(n_parts):
    [batch] = random_batches(1)
    parts, whole = tiny().double(), tiny().double()
    value, n_targets = accumulate_gradient(parts, batch, next_token_loss, n_parts)
    expected = plain_loss(whole, *batch)
    expected.backward()
    assert (value, n_targets) == (pytest.approx(expected.item(), abs=1e-12), 17)
    for got, true in zip(parts.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(got.grad, true.grad, atol=1e-12, rtol=0)


def test_the_plain_mean_over_parts_would_be_another_gradient():
    [(tokens, targets)] = random_batches(1)
    wrong, whole = tiny().double(), tiny().double()
    for part in zip(tokens.chunk(4), targets.chunk(4), strict=True):
        (plain_loss(wrong, *part) / 4).backward()
    plain_loss(whole, tokens, targets).backward()
    gaps = [
        (a.grad - b.grad).abs().max()
        for a, b in zip(wrong.parameters(), whole.parameters(), strict=True)
    ]
    assert max(gaps) > 1e-3


def test_a_part_without_targets_adds_nothing():
    [(tokens, targets)] = random_batches(1)
    targets[1] = IGNORE
    parts, whole = tiny().double(), tiny().double()
    # plain_loss is NaN where nothing counts, and must not be asked.
    value, _ = accumulate_gradient(parts, (tokens, targets), plain_loss, 4)
    assert value == pytest.approx(plain_loss(whole, tokens, targets).item(), abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=6), st.integers(1, 6))
def test_any_padding_in_any_number_of_parts(padding, n_parts):
    [(tokens, targets)] = random_batches(1, padding)
    weight = nn.Linear(1, 7, bias=False).double()

    def loss(model: nn.Module, tokens: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(model(tokens.double()[..., None]).flatten(0, 1), targets.flatten())

    if count_targets(targets) == 0:
        with pytest.raises(ValueError, match="targets: expected one that counts"):
            accumulate_gradient(weight, (tokens, targets), loss, n_parts)
        return
    value, n_targets = accumulate_gradient(weight, (tokens, targets), loss, n_parts)
    whole = loss(weight, tokens, targets)
    [expected] = torch.autograd.grad(whole, [weight.weight])
    assert n_targets == sum(8 - n for n in padding)
    assert value == pytest.approx(whole.item(), abs=1e-12)
    torch.testing.assert_close(weight.weight.grad, expected, atol=1e-12, rtol=0)


def test_parts_of_several_processes_add_up_and_the_factor_is_in_the_gradient_alone():
    [(tokens, targets)] = random_batches(1)
    parts, whole = tiny().double(), tiny().double()
    values = [
        accumulate_gradient(
            parts, (tokens[rows], targets[rows]), next_token_loss, n_targets=17, factor=3.0
        )[0]
        for rows in (slice(0, 1), slice(1, 4))
    ]
    expected = plain_loss(whole, tokens, targets)
    (3 * expected).backward()
    assert sum(values) == pytest.approx(expected.item(), abs=1e-12)
    for got, true in zip(parts.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(got.grad, true.grad, atol=1e-12, rtol=0)
