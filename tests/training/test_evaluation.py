"""The held-out loss against one computed token by token."""

import math

import pytest
import torch
import torch.nn.functional as F

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.training.evaluation import bits_per_byte, mean_loss
from llm_course.training.loss import IGNORE


def test_equals_the_mean_over_all_tokens_however_they_are_batched():
    sizes = {"vocab_size": 7, "context_length": 8, "d_model": 8, "n_layers": 1, "n_heads": 2}
    model = Decoder(DecoderConfig(**sizes, d_ff=6)).double()
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(7, (5, 8), generator=generator)
    targets = torch.randint(7, (5, 8), generator=generator)
    targets[0, 2:] = IGNORE
    targets[3] = IGNORE
    surprises = [
        -F.log_softmax(model(tokens[[row]])[0, place], dim=0)[targets[row, place]].item()
        for row in range(5)
        for place in range(8)
        if targets[row, place] != IGNORE
    ]
    for size in (1, 2, 5):
        batches = list(zip(tokens.split(size), targets.split(size), strict=True))
        found = mean_loss(model, batches)
        assert found == pytest.approx(sum(surprises) / len(surprises), abs=1e-12)
    with pytest.raises(ValueError, match="batches: expected a target that counts, got none"):
        mean_loss(model, [(tokens[3:4], targets[3:4])])


def test_uniform_bytes_have_eight_bits():
    assert bits_per_byte(math.log(256), 10, 10) == pytest.approx(8.0)
    assert bits_per_byte(math.log(256), 10, 40) == pytest.approx(2.0)
