"""RoPE: relative positions, both pairings, and the permutation between them."""

import math

import pytest
import torch
from einops import einsum
from hypothesis import given
from hypothesis import strategies as st

from llm_course.model.heads import split_heads
from llm_course.model.positions import (
    half_split_to_interleaved,
    interleaved_to_half_split,
    rope_angles,
    rope_frequencies,
    rotate,
    turn,
)
from llm_course.shapes import ShapeError

PAIRINGS = pytest.mark.parametrize("pairing", ["interleaved", "half_split"])
FREQUENCIES = rope_frequencies(8).double()


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


def pairs_of(pairing: str, d_head: int) -> list[tuple[int, int]]:
    half = d_head // 2
    return [(2 * i, 2 * i + 1) if pairing == "interleaved" else (i, i + half) for i in range(half)]


def test_frequencies_against_the_formula():
    expected = [10_000.0 ** (-2 * i / 8) for i in range(4)]
    torch.testing.assert_close(rope_frequencies(8), torch.tensor(expected), atol=1e-7, rtol=1e-6)


@PAIRINGS
def test_rotation_against_complex_numbers_in_a_loop(pairing):
    x, positions = draw(1, 2, 3, 8), torch.tensor([0, 5, 11])
    expected = torch.zeros_like(x)
    for token, position in enumerate(positions.tolist()):
        for i, (real, imaginary) in enumerate(pairs_of(pairing, 8)):
            angle = position * 10_000.0 ** (-2 * i / 8)
            unit = complex(math.cos(angle), math.sin(angle))
            turned = torch.complex(x[..., token, real], x[..., token, imaginary]) * unit
            expected[..., token, real], expected[..., token, imaginary] = turned.real, turned.imag
    ours = rotate(x, positions, FREQUENCIES, pairing)
    torch.testing.assert_close(ours, expected, atol=1e-6, rtol=0)  # fp32 frequencies


@PAIRINGS
@given(m=st.integers(0, 4096), n=st.integers(0, 4096), shift=st.integers(0, 4096))
def test_scores_depend_on_the_offset_only(pairing, m, n, shift):
    query, key = draw(1, 1, 1, 8), draw(1, 1, 1, 8, seed=1)

    def score(at_query, at_key):
        turned_query = rotate(query, torch.tensor([at_query]), FREQUENCIES, pairing)
        turned_key = rotate(key, torch.tensor([at_key]), FREQUENCIES, pairing)
        return (turned_query * turned_key).sum()

    torch.testing.assert_close(score(m, n), score(m + shift, n + shift), atol=1e-9, rtol=0)


@PAIRINGS
def test_scores_do_depend_on_the_offset(pairing):
    query, key = draw(1, 1, 1, 8), draw(1, 1, 1, 8, seed=1)
    turned = rotate(key.expand(1, 1, 6, 8), torch.arange(6), FREQUENCIES, pairing)
    scores = einsum(query, turned, "b h q d, b h k d -> b h q k").flatten()
    assert scores.diff().abs().min() > 1e-3


@PAIRINGS
def test_position_zero_and_lengths_are_kept(pairing):
    x = draw(2, 3, 5, 8)
    turned = rotate(x, torch.arange(5), FREQUENCIES, pairing)
    assert torch.equal(turned[:, :, 0], x[:, :, 0])
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1), atol=1e-12, rtol=0)


@PAIRINGS
def test_each_sequence_may_have_its_own_positions(pairing):
    x, positions = draw(2, 3, 4, 8), torch.tensor([[0, 1, 2, 3], [7, 8, 9, 10]])
    together = rotate(x, positions, FREQUENCIES, pairing)
    for row in range(2):
        alone = rotate(x[row : row + 1], positions[row], FREQUENCIES, pairing)
        assert torch.equal(together[row : row + 1], alone)


def test_the_pairings_agree_up_to_the_permutation():
    x, weight = draw(2, 5, 6), draw(24, 6, seed=1)
    positions = torch.arange(5)
    permuted = interleaved_to_half_split(weight, n_heads=3)
    interleaved = rotate(split_heads(x @ weight.T, 3), positions, FREQUENCIES, "interleaved")
    half_split = rotate(split_heads(x @ permuted.T, 3), positions, FREQUENCIES, "half_split")
    order = interleaved_to_half_split(torch.arange(8), n_heads=1)
    assert torch.equal(interleaved[..., order], half_split)
    wrong = rotate(split_heads(x @ weight.T, 3), positions, FREQUENCIES, "half_split")
    assert not torch.allclose(interleaved[..., order], wrong), "the permutation makes no difference"


@given(st.integers(1, 4), st.integers(1, 4))
def test_the_permutations_undo_each_other(n_heads, n_pairs):
    for projection in (draw(n_heads * 2 * n_pairs, 3), draw(n_heads * 2 * n_pairs)):
        there = interleaved_to_half_split(projection, n_heads)
        assert torch.equal(half_split_to_interleaved(there, n_heads), projection)


def test_the_permutation_is_hugging_faces_gguf_one():
    # How Transformers undoes it when it reads a GGUF file: reshape, swap, reshape.
    weight = draw(24, 6)
    theirs = weight.reshape(3, 4, 2, 6).swapaxes(2, 1).reshape(24, 6)
    assert torch.equal(interleaved_to_half_split(weight, n_heads=3), theirs)


@PAIRINGS
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dtype_of_the_input_is_kept_and_angles_stay_exact(pairing, dtype):
    x, positions = draw(1, 1, 1, 8).to(dtype), torch.tensor([4095])
    turned = rotate(x, positions, rope_frequencies(8), pairing)
    assert turned.dtype == dtype
    exact = rotate(x.double(), positions, FREQUENCIES, pairing)
    tolerance = 1e-3 if dtype == torch.float32 else 3e-2
    torch.testing.assert_close(turned.double(), exact, atol=tolerance, rtol=0)


def test_a_magnitude_multiplies_cosines_and_sines():
    plain = rope_angles(torch.arange(5), FREQUENCIES)
    grown = rope_angles(torch.arange(5), FREQUENCIES, magnitude=1.25)
    for small, large in zip(plain, grown, strict=True):
        assert torch.equal(large, 1.25 * small)
    assert grown[0][0, 0] == 1.25


def test_made_on_the_device_of_the_positions():
    frequencies = rope_frequencies(8, device="meta")
    cosine, sine = rope_angles(torch.arange(3, device="meta"), frequencies)
    assert (cosine.device.type, sine.device.type) == ("meta", "meta")


@pytest.mark.parametrize("d_head", [0, 3, -2])
def test_odd_head_is_refused(d_head):
    with pytest.raises(ValueError) as caught:
        rope_frequencies(d_head)
    assert str(caught.value) == (f"d_head: expected a positive even number for RoPE, got {d_head}.")


def test_unknown_pairing_and_wrong_number_of_angles_are_refused():
    angles = rope_angles(torch.arange(5), FREQUENCIES)
    with pytest.raises(ValueError) as caught:
        turn(draw(1, 1, 5, 8), *angles, "neox")
    assert str(caught.value) == "pairing: expected one of interleaved, half_split, got 'neox'."
    with pytest.raises(ShapeError) as caught:
        turn(draw(1, 1, 5, 6), *angles, "half_split")
    assert str(caught.value) == "x: expected d=8, got 6 in shape (1, 1, 5, 6) (... t d)."
