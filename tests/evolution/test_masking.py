"""What is chosen, hidden, changed and left, against the shares of the paper by chi-square."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from llm_course.evolution.masking import hide_tokens, mask_tokens
from llm_course.training.loss import IGNORE

MASK, VOCAB = 3, 50


def masked(tokens, seed=0, **options):
    return mask_tokens(tokens, MASK, VOCAB, torch.Generator().manual_seed(seed), **options)


def test_the_shares_are_those_of_the_paper():
    tokens = torch.randint(4, VOCAB, (200, 500), generator=torch.Generator().manual_seed(1))
    inputs, targets = masked(tokens)
    chosen = targets != IGNORE
    n = int(chosen.sum())
    hidden = int((inputs[chosen] == MASK).sum())
    left = int((inputs[chosen] == tokens[chosen]).sum())
    counts = [tokens.numel() - n, hidden, left, n - hidden - left]
    same = 1 / VOCAB  # a drawn token is by chance the old one, or the mask
    shares = [
        0.85,
        0.15 * (0.8 + 0.1 * same),
        0.15 * (0.1 + 0.1 * same),
        0.15 * 0.1 * (1 - 2 * same),
    ]
    assert chisquare(counts, [share * tokens.numel() for share in shares]).pvalue > 1e-4
    wrong = [0.85, 0.15 * 0.9, 0.15 * 0.05, 0.15 * 0.05]
    assert chisquare(counts, [share * tokens.numel() for share in wrong]).pvalue < 1e-4


def test_changed_tokens_are_drawn_evenly():
    tokens = torch.full((400, 500), 7)
    inputs, targets = masked(tokens)
    changed = inputs[(targets != IGNORE) & (inputs != MASK) & (inputs != 7)]
    counts = torch.bincount(changed, minlength=VOCAB)
    counts = counts[[i for i in range(VOCAB) if i not in (MASK, 7)]]
    assert chisquare(counts.numpy()).pvalue > 1e-4


@given(seed=st.integers(0, 10_000), share=st.floats(0.01, 1))
def test_what_is_not_chosen_stays_and_special_tokens_are_never_chosen(seed, share):
    tokens = torch.randint(VOCAB, (4, 16), generator=torch.Generator().manual_seed(seed))
    inputs, targets = masked(tokens, seed, share=share, special_ids=(0, 1, 2, MASK))
    chosen = targets != IGNORE
    assert torch.equal(inputs[~chosen], tokens[~chosen])
    assert torch.equal(targets[chosen], tokens[chosen])
    assert not (chosen & (tokens <= MASK)).any()


@given(seed=st.integers(0, 10_000), share=st.floats(0.01, 1))
def test_given_numbers_decide_token_by_token(seed, share):
    generator = torch.Generator().manual_seed(seed)
    tokens, drawn = torch.randint(VOCAB, (2, 9), generator=generator)
    chance, fate = torch.rand(2, 9, generator=generator)
    inputs, targets = hide_tokens(tokens, chance, fate, drawn, MASK, share=share, special_ids=(5,))
    for place, token in enumerate(tokens.tolist()):
        chosen = chance[place] < share and token != 5
        happens = [MASK, drawn[place].item(), token][
            int(fate[place] >= 0.8) + int(fate[place] >= 0.9)
        ]
        assert inputs[place] == (happens if chosen else token)
        assert targets[place] == (token if chosen else IGNORE)


def test_a_seed_repeats_it_and_a_share_must_be_one():
    tokens = torch.arange(40)
    assert torch.equal(masked(tokens, 5)[0], masked(tokens, 5)[0])
    assert not torch.equal(masked(tokens, 5)[1], masked(tokens, 6)[1])
    for share in (0.0, 1.1, float("nan")):
        with pytest.raises(ValueError, match="share: expected above 0 and at most 1"):
            masked(tokens, share=share)
