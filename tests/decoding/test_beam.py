"""Beam search finds Transformers' sequences with its scores, and what full enumeration finds."""

import math
from dataclasses import replace
from itertools import product

import pytest
import torch

from llm_course.decoding.beam import BeamConfig, Hypothesis, beam_search, length_normalised
from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.generate import generate
from llm_course.model.config import DecoderConfig

PROMPTS = [[3, 1, 4, 1, 5], [9, 2, 6], [5, 3, 5, 8, 9, 7, 9]]
PAD = 39
ALPHAS = [0.0, 0.6, 1.0, 2.0]


def theirs(model, prompts, config: BeamConfig) -> list[list[Hypothesis]]:
    longest = max(map(len, prompts))
    tokens = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
    real = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    out = model.generate(
        tokens, attention_mask=real, do_sample=False, num_beams=config.width,
        length_penalty=config.length_penalty, early_stopping=config.early_stopping,
        num_return_sequences=config.n_best, max_new_tokens=config.max_new_tokens,
        eos_token_id=list(config.end_ids) or None, pad_token_id=PAD,
        return_dict_in_generate=True, output_scores=True,
    )  # fmt: skip
    found = []
    for i, row in enumerate(out.sequences[:, longest:].tolist()):
        ends = [place for place, token in enumerate(row) if token in config.end_ids]
        text = row[: ends[0] + 1] if ends else row
        if config.width == 1:  # greedy search, which returns no scores of sequences
            steps = [scores[i].log_softmax(-1) for scores in out.scores[: len(text)]]
            total = sum(step[token].item() for step, token in zip(steps, text, strict=True))
            found.append(Hypothesis(text, total / len(text) ** config.length_penalty))
        else:
            found.append(Hypothesis(text, out.sequences_scores[i].item()))
    n = config.n_best
    return [found[i * n : (i + 1) * n] for i in range(len(prompts))]


def check(ours, expected) -> None:
    for mine, other in zip(ours, expected, strict=True):
        assert [text.tokens for text in mine] == [text.tokens for text in other]
        for a, b in zip(mine, other, strict=True):
            assert a.score == pytest.approx(b.score, abs=1e-4)


@pytest.fixture(scope="module")
def likely_ends(twins):
    """Models, and for each the tokens that beams do end with."""
    made = {}
    for kind in ("llama", "gpt2"):
        for seed in (0, 1):
            ours, other = twins(kind, seed)
            texts = beam_search(ours, PROMPTS, BeamConfig(width=4, n_best=4, max_new_tokens=8))
            late = [text.tokens[3] for found in texts for text in found]
            made[kind, seed] = ours, other, max(set(late), key=late.count)
    return made


@pytest.mark.parametrize("early_stopping", [False, True, "never"])
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("width", range(1, 9))
def test_sequences_and_scores_equal_transformers(likely_ends, width, alpha, early_stopping):
    for ours, other, end_id in likely_ends.values():
        config = BeamConfig(
            width=width, length_penalty=alpha, early_stopping=early_stopping,
            n_best=min(3, width), max_new_tokens=14, end_ids=(end_id,),
        )  # fmt: skip
        check(beam_search(ours, PROMPTS, config), theirs(other, PROMPTS, config))


def test_the_three_ways_to_stop_differ_here(likely_ends):
    """Otherwise the comparison above would not tell them apart."""
    found = []
    for early_stopping in (False, True, "never"):
        config = BeamConfig(
            width=3, length_penalty=2.0, early_stopping=early_stopping, max_new_tokens=14
        )
        texts = []
        for ours, _, end_id in likely_ends.values():
            texts += beam_search(ours, PROMPTS, replace(config, end_ids=(end_id,)))
        found.append(texts)
    assert found[0] != found[1] and found[1] != found[2] and found[0] != found[2]
    lengths = {len(text.tokens) for texts in found for [text] in texts}
    assert min(lengths) < 14, "some end before they are cut off"


def test_several_end_tokens_and_none(likely_ends):
    for ours, other, end_id in likely_ends.values():
        for end_ids in ((), (end_id, (end_id + 1) % 39, 7)):
            config = BeamConfig(width=4, n_best=4, max_new_tokens=10, end_ids=end_ids)
            check(beam_search(ours, PROMPTS, config), theirs(other, PROMPTS, config))


def test_width_1_is_greedy_search(likely_ends):
    for ours, _, end_id in likely_ends.values():
        settings = {"max_new_tokens": 14, "end_ids": (end_id,)}
        greedy = generate(ours, PROMPTS, GenerationConfig(**settings))
        found = beam_search(ours, PROMPTS, BeamConfig(width=1, length_penalty=2.0, **settings))
        assert [text.tokens for [text] in found] == [text.tokens for text in greedy]


@pytest.mark.parametrize("alpha", ALPHAS)
def test_a_beam_that_holds_everything_finds_the_best_of_all_texts(make_lively, alpha):
    model = make_lively(
        DecoderConfig(vocab_size=3, context_length=9, d_model=8, n_layers=1, n_heads=2, d_ff=8)
    ).double()
    config = BeamConfig(
        width=81, length_penalty=alpha, early_stopping="never", max_new_tokens=4, end_ids=(2,)
    )
    texts = [
        [*begin, end]
        for n in range(4)
        for begin in product((0, 1), repeat=n)
        for end in ((2,) if n < 3 else (0, 1, 2))
    ]

    def score(text):
        with torch.no_grad():
            log_p = model(torch.tensor([[1, *text]]))[0].log_softmax(-1)
        total = sum(log_p[i, token].item() for i, token in enumerate(text))
        return length_normalised(total, len(text), alpha)

    [[best]] = beam_search(model, [[1]], config)
    assert best.score == pytest.approx(max(map(score, texts)), abs=1e-12)
    assert best.tokens == max(texts, key=score)


def test_a_batch_is_each_prompt_alone(likely_ends):
    ours, _, end_id = likely_ends["llama", 0]
    config = BeamConfig(width=3, n_best=3, max_new_tokens=14, end_ids=(end_id,))
    together = beam_search(ours.double(), PROMPTS, config)
    for prompt, found in zip(PROMPTS, together, strict=True):
        [alone] = beam_search(ours, [prompt], config)
        assert [text.tokens for text in alone] == [text.tokens for text in found]
    ours.float()


def test_a_full_context_ends_the_search(likely_ends):
    ours = likely_ends["llama", 0][0]
    [[best]] = beam_search(ours, [[1] * 60], BeamConfig(width=3, max_new_tokens=50))
    assert len(best.tokens) == 5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 0}, "width: expected a positive integer, got 0"),
        ({"max_new_tokens": 0}, "max_new_tokens: expected a positive integer"),
        ({"n_best": 5}, "n_best: expected an integer from 1 to width=4, got 5"),
        ({"length_penalty": math.nan}, "length_penalty: expected a number, got nan"),
        ({"early_stopping": "always"}, "early_stopping: expected True, False or 'never'"),
    ],
)
def test_numbers_out_of_range_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        BeamConfig(**wrong)


def test_prompts_that_cannot_be_read_are_refused(likely_ends):
    ours = likely_ends["llama", 0][0]
    with pytest.raises(ValueError, match="prompt: expected 1 to context_length=64 tokens, got 65"):
        beam_search(ours, [[1] * 65])
    with pytest.raises(ValueError, match="prompts: expected at least one"):
        beam_search(ours, [])


@pytest.mark.slow
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("width", range(1, 9))
def test_smollm2_equals_transformers(smollm2, transformers_smollm2, width, alpha):
    """Every width with every penalty, and each way to stop early with eleven of the pairs."""
    early_stopping = [False, True, "never"][(width + ALPHAS.index(alpha)) % 3]
    chats = ["What is the capital of France?", "Name a colour."]
    prompts = [smollm2.encode_chat([{"role": "user", "content": chat}]) for chat in chats]
    config = BeamConfig(
        width=width, length_penalty=alpha, early_stopping=early_stopping,
        n_best=min(2, width), max_new_tokens=12, end_ids=(smollm2.end_id,),
    )  # fmt: skip
    ours = beam_search(smollm2.model, prompts, config)
    check(ours, theirs(transformers_smollm2, prompts, config))
    assert any(text.tokens[-1] == smollm2.end_id for text in ours[0]), "or no beam ever ends"
