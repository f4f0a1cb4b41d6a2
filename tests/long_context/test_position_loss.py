"""Losses by position against PyTorch's cross-entropy, and bands against plain means."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from transformers import LlamaConfig, LlamaForCausalLM

from llm_course.long_context.position_loss import (
    answer_loss,
    losses_of,
    perplexity_by_position,
    token_losses,
)
from llm_course.model.config import DecoderConfig
from llm_course.pretrained.huggingface import load_huggingface
from llm_course.shapes import ShapeError

CONFIG = DecoderConfig(
    vocab_size=30, context_length=16, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24
)
TOKENS = torch.randint(30, (3, 20), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("chunk", [1, 7, 19, 256])
@torch.no_grad()
def test_losses_of_a_model_equal_torchs_cross_entropy(make_lively, chunk):
    model = make_lively(CONFIG)
    logits = model(TOKENS)[:, :-1]
    expected = F.cross_entropy(logits.flatten(0, 1), TOKENS[:, 1:].flatten(), reduction="none")
    ours = token_losses(model, TOKENS, chunk)
    torch.testing.assert_close(ours.flatten(), expected, atol=1e-4, rtol=0)
    by_function = losses_of(lambda tokens: model(tokens).log_softmax(-1), TOKENS)
    torch.testing.assert_close(by_function, ours, atol=1e-4, rtol=0)


@torch.no_grad()
def test_their_mean_is_transformers_loss(tmp_path):
    theirs = LlamaForCausalLM(LlamaConfig(
        vocab_size=30, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
    )).eval()  # fmt: skip
    theirs.save_pretrained(tmp_path)
    ours = token_losses(load_huggingface(tmp_path), TOKENS).mean()
    torch.testing.assert_close(ours, theirs(TOKENS, labels=TOKENS).loss, atol=1e-5, rtol=0)


def test_bands_are_means_over_texts_and_positions():
    losses = torch.rand(3, 19, generator=torch.Generator().manual_seed(1))
    bands = perplexity_by_position(losses, [1, 2, 10, 20])
    assert [(band.start, band.end, band.n) for band in bands] == [
        (1, 2, 3),
        (2, 10, 24),
        (10, 20, 30),
    ]
    for band in bands:
        part = [losses[b, t - 1].item() for b in range(3) for t in range(band.start, band.end)]
        assert band.loss == pytest.approx(sum(part) / len(part), abs=1e-6)
        assert band.perplexity == pytest.approx(math.exp(band.loss))


def test_a_model_that_copies_is_sure_from_the_second_time_on():
    def copies(tokens: torch.Tensor) -> torch.Tensor:
        """Even at first; once a token came before, what followed it then."""
        probabilities = torch.full((*tokens.shape, 5), 0.2)
        for row, text in enumerate(tokens.tolist()):
            for t, token in enumerate(text):
                if token in text[:t]:
                    probabilities[row, t] = 0.0
                    probabilities[row, t, text[text.index(token) + 1]] = 1.0
        return probabilities.log()

    losses = losses_of(copies, torch.tensor([[0, 1, 2, 3, 0, 1, 2, 3]]))
    first, second = perplexity_by_position(losses, [1, 5, 8])
    assert first.perplexity == pytest.approx(5.0) and second.perplexity == 1.0


@torch.no_grad()
def test_the_loss_of_an_answer_is_that_of_its_tokens(make_lively):
    model = make_lively(CONFIG)
    prompt, answer = TOKENS[0, :12].tolist(), TOKENS[0, 12:15].tolist()
    log_probs = model(TOKENS[:1, :15]).log_softmax(-1)[0]
    expected = -sum(log_probs[11 + i, token].item() for i, token in enumerate(answer)) / 3
    got = answer_loss(partial(token_losses, model), prompt, answer)
    assert got == pytest.approx(expected, abs=1e-4)


def test_bad_input_is_refused(make_lively):
    model = make_lively(CONFIG)
    with pytest.raises(ValueError, match="tokens: expected two or more, got 1."):
        token_losses(model, TOKENS[:, :1])
    with pytest.raises(ShapeError, match="tokens: expected 2 axes"):
        token_losses(model, TOKENS[0])
    with pytest.raises(ValueError, match="chunk: expected 1 or more, got 0."):
        token_losses(model, TOKENS, chunk=0)
    with pytest.raises(ShapeError, match="log_probs: expected t=20, got 19"):
        losses_of(lambda tokens: torch.zeros(3, 19, 30), TOKENS)
    for edges in ([1], [0, 5], [1, 21], [1, 5, 5], [5, 3]):
        with pytest.raises(ValueError, match="edges: expected two or more, rising, from 1 to 20"):
            perplexity_by_position(torch.zeros(3, 19), edges)
    for prompt, answer in (([], [1]), ([1], [])):
        with pytest.raises(ValueError, match="prompt, answer: expected tokens in both"):
            answer_loss(partial(token_losses, model), prompt, answer)
