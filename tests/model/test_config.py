"""The configuration refuses what no model could have."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest

from llm_course.model.config import DecoderConfig

CONFIG = DecoderConfig(
    vocab_size=100, context_length=16, d_model=24, n_layers=2, n_heads=6, n_kv_heads=2, d_ff=48
)


def test_sizes_of_a_head():
    assert CONFIG.d_head == 4


def test_key_value_heads_default_to_multi_head_attention():
    config = DecoderConfig(
        vocab_size=9, context_length=9, d_model=24, n_layers=1, n_heads=6, d_ff=9
    )
    assert config.n_kv_heads == 6


def test_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        CONFIG.d_model = 48


def test_stays_small_enough_to_read():
    assert len(fields(DecoderConfig)) <= 15


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vocab_size": 0}, "vocab_size: expected a positive integer, got 0."),
        ({"context_length": -1}, "context_length: expected a positive integer, got -1."),
        ({"d_model": 24.0}, "d_model: expected a positive integer, got 24.0."),
        ({"n_layers": True}, "n_layers: expected a positive integer, got True."),
        ({"n_heads": "6"}, "n_heads: expected a positive integer, got '6'."),
        ({"n_kv_heads": -2}, "n_kv_heads: expected a positive integer, got -2."),
        ({"d_ff": None}, "d_ff: expected a positive integer, got None."),
        ({"n_heads": 5}, "n_heads: expected a divisor of d_model=24, got 5."),
        ({"n_kv_heads": 4}, "n_kv_heads: expected a divisor of n_heads=6, got 4."),
        ({"n_heads": 8, "n_kv_heads": 8}, "d_head: expected an even number for RoPE, got 3."),
        ({"norm": "batch_norm"}, "norm: expected one of layer_norm, rms_norm, got 'batch_norm'."),
        (
            {"feed_forward": "elu"},
            "feed_forward: expected one of relu, gelu, gelu_tanh, swish, swiglu, geglu, "
            "geglu_tanh, got 'elu'.",
        ),
        ({"position": "alibi"}, "position: expected one of rope, learned, none, got 'alibi'."),
        (
            {"rope_pairing": "neox"},
            "rope_pairing: expected one of interleaved, half_split, got 'neox'.",
        ),
        ({"norm_eps": 0.0}, "norm_eps: expected a positive number, got 0.0."),
        ({"rope_base": -1.0}, "rope_base: expected a positive number, got -1.0."),
        ({"rope_base": float("nan")}, "rope_base: expected a positive number, got nan."),
    ],
)
def test_message_names_the_field(change, message):
    with pytest.raises(ValueError) as caught:
        replace(CONFIG, **change)
    assert str(caught.value) == message


def test_odd_heads_are_fine_without_rotation():
    assert replace(CONFIG, n_heads=8, n_kv_heads=8, position="learned").d_head == 3
