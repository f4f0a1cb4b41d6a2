"""The configuration refuses what no model could have."""

import json
from dataclasses import FrozenInstanceError, asdict, fields, replace

import pytest

from llm_course.model.config import DecoderConfig, EncoderDecoderConfig
from llm_course.model.config_parts import PositionOptions, Wiring

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
    for config in (DecoderConfig, EncoderDecoderConfig, PositionOptions, Wiring):
        assert len(fields(config)) <= 15


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
        (
            {"position_options": PositionOptions(rope_frequencies=(1.0, 0.5, 0.1))},
            "rope_frequencies: expected none or d_head / 2 = 2, got 3.",
        ),
        ({"norm": "batch_norm"}, "norm: expected one of layer_norm, rms_norm, got 'batch_norm'."),
        (
            {"feed_forward": "elu"},
            "feed_forward: expected one of relu, gelu, gelu_tanh, swish, swiglu, geglu, "
            "geglu_tanh, got 'elu'.",
        ),
        (
            {"position": "xpos"},
            "position: expected one of rope, learned, sinusoidal, t5, alibi, none, got 'xpos'.",
        ),
        (
            {"position": "sinusoidal", "d_model": 21, "n_heads": 3, "n_kv_heads": 3},
            "d_model: expected an even number for sinusoidal positions, got 21.",
        ),
        ({"norm_eps": 0.0}, "norm_eps: expected a positive number, got 0.0."),
    ],
)
def test_message_names_the_field(change, message):
    with pytest.raises(ValueError) as caught:
        replace(CONFIG, **change)
    assert str(caught.value) == message


def test_odd_heads_are_fine_without_rotation():
    assert replace(CONFIG, n_heads=8, n_kv_heads=8, position="learned").d_head == 3


def test_given_frequencies_come_back_from_json():
    options = PositionOptions(rope_frequencies=(1.0, 0.1), rope_magnitude=1.1)
    config = replace(CONFIG, position_options=options)
    assert DecoderConfig.from_dict(json.loads(json.dumps(asdict(config)))) == config


def test_comes_back_from_a_dictionary():
    config = replace(
        CONFIG, position_options=PositionOptions(rope_base=7.0), wiring=Wiring(placement="post")
    )
    assert DecoderConfig.from_dict(asdict(config)) == config
    flat = {name: value for name, value in asdict(config).items() if not isinstance(value, dict)}
    assert DecoderConfig.from_dict(flat) == CONFIG, "parts that are absent have their defaults"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"d_model": 12}, "decoder.d_model: expected the encoder's 24, got 12."),
        ({"vocab_size": 99}, "decoder.vocab_size: expected the encoder's 100, got 99."),
    ],
)
def test_the_stacks_of_an_encoder_decoder_fit(change, message):
    with pytest.raises(ValueError) as caught:
        EncoderDecoderConfig(encoder=CONFIG, decoder=replace(CONFIG, **change))
    assert str(caught.value) == message


def test_vocabularies_may_differ_if_nothing_is_shared():
    other = replace(CONFIG, vocab_size=99)
    both = EncoderDecoderConfig(encoder=CONFIG, decoder=other, share_embeddings=False)
    assert both.decoder.vocab_size == 99


def test_an_encoder_has_no_window():
    windowed = replace(CONFIG, wiring=Wiring(window=4))
    with pytest.raises(ValueError, match=r"encoder.wiring.window: expected None, got 4\."):
        EncoderDecoderConfig(encoder=windowed, decoder=CONFIG)
