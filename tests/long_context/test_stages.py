"""Stages are ordinary runs one after the other, each at its length and its stretch."""

import copy
from dataclasses import replace

import pytest
import torch

from llm_course.long_context.rope_scaling import RopeScaling, scaled_frequencies
from llm_course.long_context.stages import Stage, plan_stages, train_in_stages
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import train
from llm_course.training.loss import shift

CONFIG = DecoderConfig(vocab_size=12, context_length=8, d_model=16, n_layers=1, n_heads=2, d_ff=16)
RUN = TrainingConfig(n_steps=1, learning_rate=1e-2)
PLAN = [
    Stage(context_length=16, batch_size=3, n_steps=2),
    Stage(context_length=32, batch_size=2, n_steps=3),
]


def batches(stage: Stage):
    generator = torch.Generator().manual_seed(stage.context_length)
    for _ in range(stage.n_steps):
        yield shift(
            torch.randint(12, (stage.batch_size, stage.context_length + 1), generator=generator)
        )


@pytest.mark.parametrize("scaling", [None, "linear", "ntk", "dynamic", "yarn"])
def test_stages_equal_the_runs_done_by_hand(scaling):
    model = Decoder(CONFIG)
    by_hand = copy.deepcopy(model)
    longer, records = train_in_stages(model, PLAN, batches, RUN, scaling=scaling)
    histories = []
    for stage in PLAN:
        config = by_hand.config
        options = config.position_options
        if scaling is not None:
            method = RopeScaling(kind=scaling, factor=stage.context_length / 8, original=8)
            frequencies, magnitude = scaled_frequencies(method, 8, n_tokens=stage.context_length)
            options = replace(
                options, rope_frequencies=tuple(frequencies.tolist()), rope_magnitude=magnitude
            )
        by_hand.config = replace(
            config, context_length=stage.context_length, position_options=options
        )
        histories.append(train(by_hand, batches(stage), replace(RUN, n_steps=stage.n_steps)))
    assert [record.history for record in records] == histories
    assert [record.stage for record in records] == PLAN
    assert longer.config == by_hand.config and longer.config.context_length == 32
    for name, weight in by_hand.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), name
    assert model.config == CONFIG, "the model that was given is read as before"


def test_the_model_learns_and_is_evaluated_at_the_length_of_the_stage():
    lengths = []

    def evaluate(model: Decoder) -> float:
        lengths.append(model.config.context_length)
        return 0.0

    def easy(stage: Stage):
        text = torch.arange(stage.context_length + 1)[None] % 12
        return [shift(text)] * stage.n_steps

    plan = [replace(stage, n_steps=20) for stage in PLAN]
    _, records = train_in_stages(
        Decoder(CONFIG),
        plan,
        easy,
        replace(RUN, learning_rate=0.03),
        scaling="linear",
        evaluate=evaluate,
    )
    assert lengths == [16, 32]
    assert records[-1].history[-1].loss < 0.5 < records[0].history[0].loss


def test_the_plan_of_the_deck():
    plan = plan_stages(2048, 32_768, n_steps=101, tokens_per_step=65_536)
    assert plan == [
        Stage(context_length=8192, batch_size=8, n_steps=50),
        Stage(context_length=32_768, batch_size=2, n_steps=51),
    ]
    lengths = [
        s.context_length for s in plan_stages(100, 950, n_steps=9, tokens_per_step=1, growth=3)
    ]
    assert lengths == [300, 900, 950]
    assert sum(s.n_steps for s in plan_stages(1, 1000, n_steps=17, tokens_per_step=5)) == 17
    assert all(s.batch_size == 1 for s in plan_stages(8, 64, n_steps=5, tokens_per_step=3))


def test_bad_plans_are_refused():
    with pytest.raises(ValueError, match="target: expected at least original=2048, got 1024."):
        plan_stages(2048, 1024, n_steps=9, tokens_per_step=1)
    with pytest.raises(ValueError, match="target: expected more than original=2048, got 2048."):
        plan_stages(2048, 2048, n_steps=9, tokens_per_step=1)
    with pytest.raises(ValueError, match="growth: expected 2 or more, got 1."):
        plan_stages(2, 8, n_steps=9, tokens_per_step=1, growth=1)
    with pytest.raises(ValueError, match="n_steps: expected at least 2, one for each stage, got 1"):
        plan_stages(2, 32, n_steps=1, tokens_per_step=1)
    with pytest.raises(ValueError, match="tokens_per_step: expected a positive integer, got 0."):
        plan_stages(2, 8, n_steps=9, tokens_per_step=0)
    with pytest.raises(ValueError, match="batch_size: expected a positive integer, got 0."):
        Stage(context_length=8, batch_size=0, n_steps=1)


def test_bad_runs_are_refused_before_they_begin():
    model = Decoder(CONFIG)
    before = copy.deepcopy(model.state_dict())
    for plan, message in (
        ([], "stages: expected at least one, got none."),
        (PLAN[::-1], "stages: expected lengths that grow from 32, got 16."),
        ([replace(PLAN[0], context_length=4)], "stages: expected lengths that grow from 8, got 4."),
    ):
        with pytest.raises(ValueError, match=message):
            train_in_stages(model, plan, batches, RUN)
    with pytest.raises(ValueError, match="warmup_steps: expected fewer than n_steps=2, got 2."):
        train_in_stages(model, PLAN, batches, replace(RUN, n_steps=5, warmup_steps=2))
    with pytest.raises(ValueError, match="scaling: expected one of linear, ntk, dynamic, yarn"):
        train_in_stages(model, PLAN, batches, RUN, scaling="llama3")
    with pytest.raises(ValueError, match="batches: expected the stage's 16 tokens a text, got 8."):
        train_in_stages(model, PLAN, lambda s: batches(replace(s, context_length=8)), RUN)
    with pytest.raises(ValueError, match="position: expected a model with rope, got alibi."):
        train_in_stages(Decoder(replace(CONFIG, position="alibi")), PLAN, batches, RUN)
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, before[name])
