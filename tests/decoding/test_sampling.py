"""Sampled frequencies follow the filtered distribution; the configuration refuses nonsense."""

import math
from dataclasses import fields, replace

import pytest
import torch
from scipy.stats import binomtest
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from llm_course.decoding.sampling import (
    GREEDY,
    History,
    Sampler,
    SamplingConfig,
    draw,
    next_token_probabilities,
)

CONFIGS = {
    "plain": SamplingConfig(),
    "cold": SamplingConfig(temperature=0.5),
    "hot top-k": SamplingConfig(temperature=1.7, top_k=9),
    "nucleus": SamplingConfig(top_p=0.8),
    "min-p": SamplingConfig(temperature=2.0, min_p=0.1),
    "typical": SamplingConfig(typical_p=0.7),
    "everything": SamplingConfig(
        temperature=1.5, top_k=30, top_p=0.95, min_p=0.02, typical_p=0.9, repetition_penalty=1.3
    ),
}
PROMPT = [3, 5, 5, 8]


def random_logits(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def their_probabilities(logits: torch.Tensor, config: SamplingConfig) -> torch.Tensor:
    chain = LogitsProcessorList(
        [
            RepetitionPenaltyLogitsProcessor(config.repetition_penalty),
            TemperatureLogitsWarper(float(config.temperature)),
            TopKLogitsWarper(config.top_k or logits.shape[-1]),
            TopPLogitsWarper(config.top_p),
            MinPLogitsWarper(config.min_p),
            *([TypicalLogitsWarper(config.typical_p)] if config.typical_p < 1 else []),
        ]
    )
    return chain(torch.tensor([PROMPT]), logits).softmax(-1)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_probabilities_equal_transformers_chain(config):
    logits = random_logits(1, 50)
    ours = next_token_probabilities(logits, config, [History(PROMPT[:2], PROMPT[2:])])
    torch.testing.assert_close(ours, their_probabilities(logits, config), atol=1e-7, rtol=0)


def test_the_order_is_that_of_transformers_generate():
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=9, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
                    num_attention_heads=1)
    )  # fmt: skip
    settings = GenerationConfig(
        do_sample=True, temperature=0.7, top_k=5, top_p=0.9, min_p=0.1, typical_p=0.8,
        repetition_penalty=1.2,
    )  # fmt: skip
    chain = model._get_logits_processor(settings, input_ids_seq_length=4)
    assert [type(step).__name__ for step in chain] == [
        "RepetitionPenaltyLogitsProcessor", "TemperatureLogitsWarper", "TopKLogitsWarper",
        "TopPLogitsWarper", "MinPLogitsWarper", "TypicalLogitsWarper",
    ]  # fmt: skip


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_frequencies_follow_the_distribution(config, follows_distribution):
    logits = random_logits(1, 50)
    sampler, history = Sampler(config), History(PROMPT)
    rows = logits.expand(20_000, -1)
    expected = sampler.probabilities(logits, [history])[0]
    assert (expected > 0).sum() > 3, "there is something to draw"
    drawn = sampler(rows, [history] * len(rows))
    assert follows_distribution(torch.bincount(drawn, minlength=50), expected)


def test_a_sampler_that_ignores_the_temperature_is_rejected(follows_distribution):
    logits, history = random_logits(1, 50), History(PROMPT)
    expected = Sampler(SamplingConfig(temperature=0.8)).probabilities(logits, [history])[0]
    drawn = Sampler(SamplingConfig())(logits.expand(20_000, -1), [history] * 20_000)
    assert not follows_distribution(torch.bincount(drawn, minlength=50), expected)


def test_what_has_no_probability_is_never_drawn():
    probabilities = torch.zeros(50_000, 3)
    probabilities[:, 1] = 1e-30
    assert draw(probabilities, torch.Generator().manual_seed(0)).unique().tolist() == [1]


def test_rare_tokens_of_a_large_vocabulary_are_drawn_as_often_as_they_should():
    # In fp32 the cumulative sum ends at a number that is off by more than these tokens weigh.
    probabilities = torch.full((1, 60_000), 1e-7)
    probabilities[0, 0] = 1 - probabilities[0, 1:].double().sum()
    generator = torch.Generator().manual_seed(0)
    rare = sum((draw(probabilities.expand(100, -1), generator) > 0).sum() for _ in range(40))
    assert binomtest(int(rare), 4_000, 59_999e-7).pvalue > 1e-4


def test_greedy_is_the_argmax_and_the_first_of_ties():
    logits = torch.tensor([[0.0, 7.0, 7.0], [2.0, 1.0, 0.0]])
    assert Sampler(GREEDY)(logits, [History([])] * 2).tolist() == [1, 0]
    assert Sampler(GREEDY).probabilities(logits, []).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_greedy_obeys_the_penalties():
    config = replace(GREEDY, presence_penalty=1.0)
    logits = torch.tensor([[1.0, 1.5]])
    assert Sampler(config)(logits, [History([1])]).item() == 1, "the prompt does not count"
    assert Sampler(config)(logits, [History([], [1])]).item() == 0


def test_a_seed_gives_the_same_tokens_again_and_rows_do_not_disturb_each_other():
    logits = random_logits(5, 50)
    histories = [History([])] * 5
    first = Sampler(SamplingConfig(seed=3))(logits, histories)
    assert torch.equal(Sampler(SamplingConfig(seed=3))(logits, histories), first)
    assert not torch.equal(Sampler(SamplingConfig(seed=4))(logits, histories), first)
    changed = logits.clone()
    changed[1:] = 0
    assert Sampler(SamplingConfig(seed=3))(changed, histories)[0] == first[0]


def test_half_precision_logits_are_sampled_in_fp32():
    logits = random_logits(1, 50).bfloat16()
    ours = next_token_probabilities(logits, SamplingConfig(), [History([])])
    torch.testing.assert_close(ours, logits.float().softmax(-1))


def test_the_config_is_small():
    assert len(fields(SamplingConfig)) <= 15


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"temperature": -0.1}, r"temperature: expected 0 \(greedy\) or a number from 0.001, got"),
        ({"temperature": 1e-38}, "temperature: expected"),
        ({"seed": 1.5}, "seed: expected an integer from 0"),
        ({"seed": 2**64}, "seed: expected an integer from 0"),
        ({"temperature": math.nan}, "temperature: expected 0"),
        ({"top_k": -1}, "top_k: expected 0"),
        ({"top_k": 1.5}, "top_k: expected 0"),
        ({"top_p": 0.0}, "top_p: expected a number above 0 and at most 1, got 0.0"),
        ({"top_p": 1.1}, "top_p: expected a number above 0 and at most 1, got 1.1"),
        ({"typical_p": 0.0}, "typical_p: expected a number above 0 and at most 1"),
        ({"min_p": -0.1}, "min_p: expected a number from 0 to 1"),
        ({"repetition_penalty": 0.0}, "repetition_penalty: expected a number from 0.1 to 10"),
        ({"frequency_penalty": math.inf}, "frequency_penalty: expected a number, got inf"),
        ({"presence_penalty": math.nan}, "presence_penalty: expected a number, got nan"),
    ],
)
def test_numbers_out_of_range_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        SamplingConfig(**wrong)
