"""The prefix-LM objective against a loop, and what it leaves out."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.model.masks import prefix_mask
from llm_course.model.prefix_lm import prefix_lm, prefix_lm_loss, suffix_targets
from llm_course.shapes import ShapeError

TOKENS = torch.randint(7, (3, 6), generator=torch.Generator().manual_seed(0))
LOGITS = torch.randn(3, 6, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@given(st.lists(st.integers(0, 6), min_size=3, max_size=3).filter(lambda x: min(x) < 6))
def test_loss_against_a_loop(lengths):
    losses = []
    for row, length in enumerate(lengths):
        for position in range(1, 6):
            if position >= length:
                probabilities = LOGITS[row, position - 1].softmax(-1)
                losses.append(-probabilities[TOKENS[row, position]].log())
    ours = prefix_lm_loss(LOGITS, TOKENS, torch.tensor(lengths))
    torch.testing.assert_close(ours, torch.stack(losses).mean(), atol=1e-12, rtol=0)


def test_only_the_logits_before_suffix_tokens_get_a_gradient():
    logits = LOGITS.clone().requires_grad_()
    prefix_lm_loss(logits, TOKENS, torch.tensor([0, 2, 5])).backward()
    moved = logits.grad.abs().amax(-1) > 0
    # The last logits have no target; those of the last prefix token predict the first after it.
    assert moved.int().tolist() == [[1, 1, 1, 1, 1, 0], [0, 1, 1, 1, 1, 0], [0, 0, 0, 0, 1, 0]]


def test_without_a_prefix_it_is_the_plain_language_modelling_loss():
    expected = torch.nn.functional.cross_entropy(
        LOGITS[:, :-1].flatten(0, 1), TOKENS[:, 1:].flatten()
    )
    for length in (0, 1):
        ours = prefix_lm_loss(LOGITS, TOKENS, torch.full((3,), length))
        torch.testing.assert_close(ours, expected, atol=1e-12, rtol=0)


def test_under_the_prefix_mask_no_counted_logit_has_seen_its_target():
    config = DecoderConfig(vocab_size=7, context_length=6, d_model=8, n_layers=2, n_heads=2, d_ff=8)
    model, lengths = Decoder(config).double(), torch.tensor([3, 3, 3])
    mask = prefix_mask(6, lengths)
    counted = suffix_targets(6, lengths)
    changed = TOKENS.clone()
    for token in range(6):
        changed = torch.where(torch.arange(6) == token, (TOKENS + 1) % 7, TOKENS)
        moved = (model(changed, mask=mask) - model(TOKENS, mask=mask)).abs().amax(-1)
        seen = token > 0 and bool((moved[:, token - 1] > 0).any())
        assert seen == (token in (1, 2)), "inside the prefix, and only there, a target is seen"
        assert not (seen and counted[:, token].any())


@pytest.mark.parametrize(
    ("lengths", "kind", "message"),
    [
        ([6, 6, 6], ValueError,
         "prefix_lengths: expected a token after some prefix, got [6, 6, 6] "
         "for texts of 6 tokens."),
        ([7, 0, 0], ValueError,
         "prefix_lengths: expected values from 0 to n_tokens=6, got 0 to 7."),
        ([1, 1], ShapeError, "prefix_lengths: expected b=3, got 2 in shape (2,) (b)."),
    ],
)  # fmt: skip
def test_bad_lengths_are_refused(lengths, kind, message):
    with pytest.raises(kind) as caught:
        prefix_lm_loss(LOGITS, TOKENS, torch.tensor(lengths))
    assert str(caught.value) == message


def test_logits_of_another_length_are_refused():
    with pytest.raises(ShapeError, match="logits: expected t=6, got 5"):
        prefix_lm_loss(LOGITS[:, 1:], TOKENS, torch.tensor([1, 1, 1]))


def test_mask_and_counted_tokens_of_every_pair_by_the_definition():
    lengths = [0, 1, 3, 5]
    mask, counts = prefix_lm(5, torch.tensor(lengths))
    assert mask.shape == (4, 1, 5, 5) and counts.shape == (4, 5)
    for b, n in enumerate(lengths):
        for i in range(5):
            assert counts[b, i].item() == (i >= n)
            assert mask[b, 0, i].tolist() == [j < n or j <= i for j in range(5)]
