"""What every stack does with positions and norms, whoever stands on it."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import PositionOptions, Wiring
from llm_course.model.decoder import Decoder
from llm_course.model.encoder import Encoder
from llm_course.model.stack import Stack

CONFIG = DecoderConfig(vocab_size=40, context_length=16, d_model=24, n_layers=2, n_heads=6, d_ff=24)
TOKENS = torch.randint(40, (2, 9), generator=torch.Generator().manual_seed(0))


def lively(model: Stack) -> Stack:
    generator = torch.Generator().manual_seed(1)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.3, generator=generator)
    return model.double()


@pytest.mark.parametrize(
    ("position", "outside"),
    [
        ("rope", set()),
        ("none", set()),
        ("alibi", set()),
        ("sinusoidal", set()),
        ("learned", {"position_embedding.weight"}),
        ("t5", {"relative_bias.weight"}),
    ],
)
def test_weights_of_each_position_method(position, outside):
    for kind in (Encoder, Decoder):
        names = kind(replace(CONFIG, position=position)).state_dict()
        found = {name for name in names if not name.startswith("blocks.")}
        assert found == {"embedding.weight", "final_norm.weight"} | outside


@pytest.mark.parametrize(
    ("placement", "has_one"),
    [("pre", True), ("sandwich", True), ("parallel", True), ("post", False), ("deep_norm", False)],
)
def test_the_last_norm_stands_where_the_blocks_leave_the_stream_bare(placement, has_one):
    model = Decoder(replace(CONFIG, wiring=Wiring(placement=placement)))
    assert (model.final_norm is not None) == has_one


def test_the_embedding_is_scaled_then_positioned_then_normalised():
    config = replace(
        CONFIG, position="learned", wiring=Wiring(embedding_scale=3.0, embedding_norm=True)
    )
    model, positions = lively(Encoder(config)), torch.arange(9)
    bare = 3.0 * model.embedding(TOKENS) + model.position_embedding(positions)
    torch.testing.assert_close(
        model.embed(TOKENS, positions), model.embedding_norm(bare), atol=1e-12, rtol=0
    )


def test_one_relative_table_serves_all_layers_with_its_own_directions():
    options = PositionOptions(n_buckets=8, max_distance=20)
    config = replace(CONFIG, position="t5", position_options=options)
    encoder, decoder = Encoder(config), Decoder(config)
    for model in (encoder, decoder):
        assert model.relative_bias.weight.shape == (8, 6)
        nn.init.normal_(model.relative_bias.weight)
    ahead = torch.tensor([0]), torch.tensor([3])
    assert not torch.equal(encoder.score_bias(*ahead), encoder.score_bias(*ahead[::-1]))
    same = decoder.score_bias(torch.tensor([0]), torch.tensor([0]))
    assert torch.equal(decoder.score_bias(*ahead), same), "a decoder has no bucket ahead"


@pytest.mark.parametrize("position", ["t5", "alibi"])
def test_later_queries_have_the_last_rows_of_the_bias(position):
    model = lively(Decoder(replace(CONFIG, position=position)))
    whole = model.score_bias(torch.arange(9))
    last = model.score_bias(torch.arange(7, 9), torch.arange(9))
    assert whole.shape == (1, 6, 9, 9)
    assert torch.equal(last, whole[:, :, 7:])


@pytest.mark.parametrize("position", ["t5", "alibi", "sinusoidal", "learned", "rope"])
def test_each_sequence_may_have_its_own_positions(position):
    model = lively(Decoder(replace(CONFIG, position=position)))
    positions = torch.stack([torch.arange(9), torch.arange(9) * 2 - torch.arange(9) // 2])
    together = model(TOKENS, positions)
    for row in range(2):
        alone = model(TOKENS[row : row + 1], positions[row])
        torch.testing.assert_close(together[row : row + 1], alone, atol=1e-10, rtol=0)


@torch.no_grad()
def test_given_frequencies_take_the_place_of_those_of_the_base():
    of_base = PositionOptions(rope_frequencies=(1.0, 500.0**-0.5))
    ours = lively(Decoder(replace(CONFIG, position_options=of_base)))
    same = lively(Decoder(replace(CONFIG, position_options=PositionOptions(rope_base=500.0))))
    torch.testing.assert_close(ours(TOKENS), same(TOKENS), atol=1e-4, rtol=0)  # fp32 angles
    assert not torch.allclose(ours(TOKENS), lively(Decoder(CONFIG))(TOKENS), atol=1e-2)
    grown = replace(CONFIG, position_options=PositionOptions(rope_magnitude=1.5))
    kept = Decoder(grown).rotation(torch.arange(3)).keywords
    assert kept["cosine"][0].tolist() == [1.5] * 4  # two pairs, a number for each feature


@pytest.mark.parametrize("position", ["learned", "sinusoidal"])
def test_a_text_that_is_too_long_is_refused(position):
    model = Encoder(replace(CONFIG, position=position))
    with pytest.raises(ValueError) as caught:
        model(torch.zeros(1, 17, dtype=torch.long))
    assert str(caught.value) == (
        "positions: expected values from 0 to context_length - 1 = 15, got 0 to 16."
    )


@pytest.mark.parametrize("position", ["rope", "t5", "alibi", "none"])
def test_other_methods_read_beyond_their_context(position):
    model = Decoder(replace(CONFIG, position=position))
    assert model(torch.zeros(1, 20, dtype=torch.long)).isfinite().all()


@pytest.mark.parametrize("position", ["t5", "alibi", "sinusoidal", "learned", "rope"])
def test_half_precision_stays_in_its_dtype(position):
    model = lively(Decoder(replace(CONFIG, position=position)))
    exact = model(TOKENS)
    logits = model.bfloat16()(TOKENS)
    assert logits.dtype == torch.bfloat16
    assert nn.functional.cosine_similarity(logits.double(), exact, dim=-1).min() > 0.98


def test_buckets_that_cannot_be_shared_out_are_refused_at_once():
    config = replace(CONFIG, position="t5", position_options=PositionOptions(n_buckets=5))
    Decoder(config)
    with pytest.raises(ValueError, match="n_buckets: expected an even number, 4 or more, got 5"):
        Encoder(config)
