"""The parts of a configuration refuse what they could not mean."""

import pytest

from llm_course.model.config_parts import PositionOptions, Wiring, check_choice, check_positive


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        (PositionOptions, {"rope_pairing": "neox"},
         "rope_pairing: expected one of interleaved, half_split, got 'neox'."),
        (PositionOptions, {"rope_base": -1.0}, "rope_base: expected a positive number, got -1.0."),
        (PositionOptions, {"rope_base": float("nan")},
         "rope_base: expected a positive number, got nan."),
        (PositionOptions, {"rope_frequencies": (1.0, 0.0)},
         "rope_frequencies: expected a positive number, got 0.0."),
        (PositionOptions, {"rope_magnitude": 0.0},
         "rope_magnitude: expected a positive number, got 0.0."),
        (PositionOptions, {"n_buckets": 0}, "n_buckets: expected a positive integer, got 0."),
        (PositionOptions, {"max_distance": 1.5},
         "max_distance: expected a positive integer, got 1.5."),
        (Wiring, {"placement": "peri"},
         "placement: expected one of pre, post, sandwich, deep_norm, parallel, got 'peri'."),
        (Wiring, {"window": 0}, "window: expected a positive integer, got 0."),
        (Wiring, {"embedding_scale": 0.0}, "embedding_scale: expected a positive number, got 0.0."),
        (Wiring, {"output_scale": -1.0}, "output_scale: expected a positive number, got -1.0."),
    ],
)  # fmt: skip
def test_message_names_the_field(part, change, message):
    with pytest.raises(ValueError) as caught:
        part(**change)
    assert str(caught.value) == message


def test_the_defaults_are_those_of_a_plain_decoder():
    assert Wiring() == Wiring(
        placement="pre", scale_scores=True, window=None, embedding_scale=1.0,
        embedding_norm=False, output_scale=1.0,
    )  # fmt: skip
    assert PositionOptions() == PositionOptions(
        rope_base=10_000.0, rope_pairing="half_split", rope_frequencies=(), rope_magnitude=1.0,
        n_buckets=32, max_distance=128,
    )  # fmt: skip


def test_checks_pass_what_is_fine():
    check_positive("x", 1e-9)
    check_choice("rope_pairing", "half_split", PositionOptions.__annotations__["rope_pairing"])
