"""A stream is read and written as the full computation says, and its memory does not grow."""

from itertools import chain, cycle, islice, repeat

import pytest
import torch
import torch.nn.functional as F

from llm_course.long_context.lambda_attention import lambda_model
from llm_course.long_context.streaming import most_likely, stream_generate, stream_losses
from llm_course.model.config import DecoderConfig

CONFIG = DecoderConfig(
    vocab_size=30, context_length=16, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24
)
TEXT = torch.randint(30, (50,), generator=torch.Generator().manual_seed(0)).tolist()
LAMBDA = {"n_sinks": 2, "window": 7}


@pytest.mark.parametrize("chunk", [1, 5, 32, 100])
@torch.no_grad()
def test_losses_are_those_of_the_full_masked_computation(make_lively, chunk):
    model = make_lively(CONFIG).double()
    logits = lambda_model(model, **LAMBDA)(torch.tensor([TEXT[:-1]]))[0]
    expected = F.cross_entropy(logits, torch.tensor(TEXT[1:]), reduction="none")
    got = torch.tensor(list(stream_losses(model, TEXT, **LAMBDA, chunk=chunk)))
    torch.testing.assert_close(got.double(), expected, atol=1e-4, rtol=0)  # fp32 logits


@torch.no_grad()
def test_a_written_text_is_the_one_that_a_full_computation_writes(make_lively):
    model = make_lively(CONFIG).double()
    seen, expected = lambda_model(model, **LAMBDA), TEXT[:12]
    for _ in range(30):
        expected = [*expected, most_likely(seen(torch.tensor([expected]))[0, -1])]
    for chunk in (1, 5, 32):
        written = islice(stream_generate(model, TEXT[:12], **LAMBDA, chunk=chunk), 30)
        assert TEXT[:12] + list(written) == expected
    assert len(set(expected[12:])) > 2, "a text that repeats one token would prove little"


def test_an_endless_text_is_read_as_far_as_asked(make_lively):
    endless = chain(cycle(TEXT), repeat(0))
    losses = list(islice(stream_losses(make_lively(CONFIG), endless, **LAMBDA), 1000))
    assert len(losses) == 1000 and min(losses) >= 0


def test_nothing_is_tracked_for_gradients_and_choices_are_the_callers(make_lively):
    asked = []

    def choose(logits):
        asked.append(logits)
        return 7

    written = list(islice(stream_generate(make_lively(CONFIG), [1], **LAMBDA, choose=choose), 4))
    assert written == [7] * 4
    assert all(logits.shape == (30,) and not logits.requires_grad for logits in asked)


def test_short_texts_have_no_losses(make_lively):
    assert list(stream_losses(make_lively(CONFIG), [], **LAMBDA)) == []
    assert list(stream_losses(make_lively(CONFIG), [3], **LAMBDA)) == []


def test_bad_input_is_refused_at_once(make_lively):
    model = make_lively(CONFIG)
    with pytest.raises(ValueError, match="prompt: expected at least one token, got none."):
        stream_generate(model, [], **LAMBDA)
    for read in (stream_generate, stream_losses):
        with pytest.raises(ValueError, match="chunk: expected 1 or more, got 0."):
            read(model, [1], **LAMBDA, chunk=0)
        with pytest.raises(ValueError, match="n_sinks: expected at most window=2, got 3."):
            read(model, [1], n_sinks=3, window=2)
