"""Position interpolation equals Transformers' ``linear``, and the deck's L/L' on positions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from llm_course.long_context.position_interpolation import (
    check_factor,
    interpolate_positions,
    interpolated_angles,
    interpolated_frequencies,
    stretch_factor,
)
from llm_course.model.positions import rope_angles, rope_frequencies

LONG = 32_768


def theirs(d_head: int, base: float, factor: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines of Transformers at 32k positions."""
    config = LlamaConfig(
        hidden_size=2 * d_head, num_attention_heads=2, max_position_embeddings=2048,
        rope_parameters={"rope_type": "linear", "rope_theta": base, "factor": factor},
    )  # fmt: skip
    cosine, sine = LlamaRotaryEmbedding(config)(torch.zeros(1), torch.arange(LONG)[None])
    return cosine[0, :, : d_head // 2], sine[0, :, : d_head // 2]


@pytest.mark.parametrize(
    ("d_head", "base", "factor"),
    [(64, 100_000.0, 4.0), (64, 10_000.0, 16.0), (32, 500.0, 3.0), (10, 10_000.0, 1.0),
     (128, 500_000.0, 7.3)],
)  # fmt: skip
def test_cosines_and_sines_equal_transformers_linear_at_32k(d_head, base, factor):
    frequencies = interpolated_frequencies(d_head, factor, base)
    ours = rope_angles(torch.arange(LONG), frequencies)
    for mine, other in zip(ours, theirs(d_head, base, factor), strict=True):
        assert torch.equal(mine, other)


@given(
    original=st.integers(1, 5000),
    times=st.integers(1, 9),
    n_pairs=st.integers(1, 8),
    position=st.integers(0, 5000),
)
def test_scaling_positions_is_scaling_frequencies(original, times, n_pairs, position):
    target = original * times
    squeezed = interpolate_positions(torch.tensor([position]).double(), original, target)
    plain = rope_frequencies(2 * n_pairs).double()
    slowed = plain / stretch_factor(original, target)
    angles = interpolated_angles(torch.tensor([position]), plain, original, target)
    torch.testing.assert_close(angles, squeezed[:, None] * plain, atol=1e-11, rtol=0)
    one, other = rope_angles(squeezed, plain), rope_angles(torch.tensor([position]), slowed)
    for mine, theirs in zip(one, other, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-11, rtol=0)


def test_in_fp32_scaled_positions_round_worse_than_scaled_frequencies():
    factor, positions = 7.3, torch.arange(LONG)
    plain = rope_frequencies(64)
    exact = rope_angles(positions, plain.double() / factor)[0]
    by_position = rope_angles(positions / factor, plain)[0]
    by_frequency = rope_angles(positions, interpolated_frequencies(64, factor))[0]
    # Both round, in different places: the same map, up to 1e-3 apart at 32k in fp32.
    apart = (by_position - by_frequency).abs().max()
    assert 1e-5 < apart < 2e-3
    assert (by_frequency - exact).abs().max() < 2e-3


@given(original=st.integers(1, 10_000), extra=st.integers(0, 10_000))
def test_no_position_leaves_the_trained_range(original, extra):
    target = original + extra
    squeezed = interpolate_positions(torch.arange(target), original, target)
    assert squeezed[0] == 0 and squeezed.max() < original
    assert (squeezed.diff() > 0).all()


def test_worked_numbers():
    assert stretch_factor(2048, 32_768) == 16.0
    assert interpolate_positions(torch.tensor([[7, 2]]), 1, 4).tolist() == [[1.75, 0.5]]
    assert torch.equal(interpolated_frequencies(64, 1.0), rope_frequencies(64))


def test_bad_lengths_are_refused():
    with pytest.raises(ValueError) as caught:
        stretch_factor(2048, 1024)
    assert str(caught.value) == (
        "target: expected at least original=2048, got 1024. "
        "Fix: a shorter text needs no stretching; swap the two if they are interchanged."
    )
    with pytest.raises(ValueError, match="original: expected a positive number of tokens, got 0."):
        interpolate_positions(torch.arange(3), 0, 4)
    for factor in (0.99, float("nan"), -2.0):
        with pytest.raises(ValueError, match="factor: expected 1 or more"):
            interpolated_frequencies(4, factor)
    check_factor(1.0)
