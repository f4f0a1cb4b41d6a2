"""Greedy decoding against a loop over single sequences, which recomputes everything."""

from dataclasses import asdict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.decoding.greedy import greedy_decode, greedy_target
from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig, EncoderDecoderConfig
from llm_course.model.encoder_decoder import EncoderDecoder
from llm_course.shapes import ShapeError

STACK = DecoderConfig(
    vocab_size=11, context_length=16, d_model=16, n_layers=2, n_heads=2, d_ff=32,
    position="sinusoidal", tie_embeddings=False,
)  # fmt: skip
SOURCE = torch.randint(0, 11, (4, 5), generator=torch.Generator().manual_seed(0))


def model(seed):
    made = EncoderDecoder(EncoderDecoderConfig(encoder=STACK, decoder=STACK)).double()
    generator = torch.Generator().manual_seed(seed)
    for name, weight in made.named_parameters():  # such that the targets are varied
        if "norm" not in name:
            spread = 3.0 if "embedding" in name else 0.3
            torch.nn.init.normal_(weight, std=spread, generator=generator)
    return made.eval()


@torch.no_grad()
def one_by_one(made, source, start_id, end_id, max_tokens):
    """Every sequence alone; encoder and decoder called from the beginning at each step."""
    found = []
    for row in source:
        target = [start_id]
        while len(target) <= max_tokens and end_id not in target[1:]:
            logits = made(row[None], torch.tensor([target]))[0, -1].tolist()
            target.append(max(range(len(logits)), key=logits.__getitem__))
        found.append(target[1:])
    longest = max(map(len, found))
    return torch.tensor([row + [end_id] * (longest - len(row)) for row in found])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 50), end_id=st.integers(0, 10), max_tokens=st.integers(1, 8))
def test_equals_a_loop_over_single_sequences(seed, end_id, max_tokens):
    made = model(seed)
    expected = one_by_one(made, SOURCE, 3, end_id, max_tokens)
    assert torch.equal(greedy_target(made, SOURCE, 3, end_id, max_tokens), expected)


def test_a_finished_sequence_is_filled_up_and_all_finished_end_the_loop():
    made = model(3)
    written = one_by_one(made, SOURCE, 3, 99, 8)  # nothing ends
    end = int(written[0, 1])
    got = greedy_target(made, SOURCE, 3, end, 8)
    first = [row.tolist().index(end) if end in row else 8 for row in got]
    assert all((row[i:] == end).all() for row, i in zip(got, first, strict=True))
    alone = greedy_target(made, SOURCE[:1], 3, end, 8)
    assert alone[0, -1] == end and alone.shape[1] <= 2


def test_as_data_it_gives_the_same():
    made = model(5)
    got = greedy_decode(asdict(STACK), made.state_dict(), SOURCE, 3, 4, 6)
    assert torch.equal(got, greedy_target(made, SOURCE, 3, 4, 6))


def test_what_does_not_fit_is_refused():
    made = model(0)
    with pytest.raises(ValueError, match="max_tokens: expected 1 or more, got 0"):
        greedy_target(made, SOURCE, 3, 4, 0)
    with pytest.raises(ShapeError, match="source"):
        greedy_target(made, SOURCE[0], 3, 4, 2)
    with pytest.raises(CourseError, match=r"weights: .*embedding"):
        greedy_decode(asdict(STACK), {}, SOURCE, 3, 4, 2)
