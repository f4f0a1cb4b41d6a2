"""Speculative decoding writes what the target would have written, whatever the draft."""

import math
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest
import torch

from llm_course.decoding import speculative
from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.drafts import ModelDraft, PromptLookup
from llm_course.decoding.generate import generate
from llm_course.decoding.sampling import (
    GREEDY,
    History,
    SamplingConfig,
    draw,
    next_token_probabilities,
)
from llm_course.decoding.speculative import accept, generate_speculatively, judge_draft
from llm_course.model.config import DecoderConfig
from llm_course.shapes import ShapeError

SIZES = {"vocab_size": 12, "context_length": 48, "n_layers": 1, "n_heads": 2, "d_ff": 16}
TARGET, SMALL = (DecoderConfig(**SIZES, d_model=d) for d in (16, 8))
N = 8_000
RULES = ["exact", "always", "no correction", "argmax"]


def distributions(seed: int, n: int, spread: float = 1.0) -> torch.Tensor:
    logits = spread * torch.randn(n, 12, generator=torch.Generator().manual_seed(seed))
    return logits.softmax(-1)


def judge(rule: str, drafted, q, p, generator) -> list[int]:
    """The exact rule, or one of three that are wrong."""
    if rule == "exact":
        return accept(drafted, q, p, generator)
    for i, token in enumerate(drafted):
        uniform = torch.rand((), generator=generator).item()
        accepted = {
            "always": True,
            "no correction": uniform < p[i, token] / q[i, token],  # but redraws from p
            "argmax": p[i, token] == p[i].max(),  # accepts what greedy search would write
        }[rule]
        if not accepted:
            return [*drafted[:i], int(draw(p[i : i + 1], generator))]
    return [*drafted, int(draw(p[-1:], generator))]


@pytest.mark.parametrize("rule", RULES)
def test_pairs_of_tokens_follow_the_target_by_the_exact_rule_alone(rule, follows_distribution):
    """The first two tokens, whose distributions do not depend on each other here."""
    q, p = distributions(0, 2), distributions(1, 3)
    generator = torch.Generator().manual_seed(2)
    drafts = torch.stack([draw(row.expand(N, -1), generator) for row in q], dim=1).tolist()
    counts = torch.zeros(12, 12)
    for drafted in drafts:
        first, *rest = judge(rule, drafted, q, p, generator)
        second = rest[0] if rest else int(draw(p[1:2], generator))
        counts[first, second] += 1
    expected = torch.outer(p[0], p[1]).flatten()
    assert follows_distribution(counts.flatten(), expected) == (rule == "exact")


def test_the_share_that_is_accepted_is_the_overlap():
    q, p = distributions(3, 1), distributions(4, 2)
    generator = torch.Generator().manual_seed(0)
    drafts = draw(q.expand(N, -1), generator).tolist()
    share = sum(len(accept([token], q, p, generator)) == 2 for token in drafts) / N
    overlap = torch.minimum(q[0], p[0]).sum().item()
    assert abs(share - overlap) < 4 * math.sqrt(overlap * (1 - overlap) / N)


def test_equal_distributions_accept_everything():
    p, generator = distributions(0, 5), torch.Generator().manual_seed(0)
    for _ in range(200):
        drafted = [int(draw(row[None], generator)) for row in p[:4]]
        assert accept(drafted, p[:4], p, generator)[:4] == drafted


@pytest.fixture(scope="module")
def models(make_lively):
    return make_lively(TARGET, seed=1).double(), make_lively(SMALL, seed=2).double()


def drafts_of(models, sampling):
    return {
        "another model": ModelDraft(models[1], sampling),
        "the model itself": ModelDraft(models[0], sampling),
        "lookup": PromptLookup(12),
    }


@pytest.mark.parametrize("kind", ["another model", "the model itself", "lookup"])
@pytest.mark.parametrize("n_draft", [1, 3, 7])
def test_greedy_is_generate(models, kind, n_draft):
    for prompt in ([1], [3, 4, 3, 4, 3], [5, 6, 7, 8, 9, 10]):
        for end_ids in ((), (2, 7)):
            config = GenerationConfig(max_new_tokens=25, end_ids=end_ids)
            draft = drafts_of(models, GREEDY)[kind]
            ours, seen = generate_speculatively(models[0], draft, prompt, config, n_draft=n_draft)
            assert [ours] == generate(models[0], [prompt], config)
            assert seen.n_calls <= len(ours.tokens)
            assert seen.n_accepted <= seen.n_drafted <= n_draft * seen.n_calls


def test_penalties_count_the_drafted_tokens(models):
    sampling = SamplingConfig(temperature=0.0, frequency_penalty=0.8, repetition_penalty=1.1)
    config = GenerationConfig(max_new_tokens=30, sampling=sampling)
    draft = ModelDraft(models[0], sampling)
    ours, seen = generate_speculatively(models[0], draft, [1, 2], config)
    assert [ours] == generate(models[0], [[1, 2]], config)
    assert seen.acceptance == 1.0, "the same model with the same settings guesses right"


@pytest.mark.parametrize(
    ("kind", "rule"),
    [("another model", "exact"), ("lookup", "exact"), ("another model", "always")],
)
def test_sampled_texts_follow_the_target(models, kind, rule, follows_distribution, monkeypatch):
    """Texts of two tokens, against the product of the target's own probabilities."""
    monkeypatch.setattr(speculative, "accept", partial(judge, rule))
    sampling = SamplingConfig(temperature=1.5, top_k=3)
    prompt = [3, 4, 5, 3, 4]
    model, counts = models[0], Counter()
    for seed in range(400):
        own = replace(sampling, seed=seed)
        config = GenerationConfig(max_new_tokens=2, sampling=own)
        draft = drafts_of(models, own)[kind]
        written, _ = generate_speculatively(model, draft, prompt, config, n_draft=2)
        counts[tuple(written.tokens[:2])] += 1
    expected, found = torch.zeros(12, 12), torch.zeros(12, 12)
    first = exact(model, prompt, sampling)
    for token in range(12):
        if first[token] > 0:
            expected[token] = first[token] * exact(model, [*prompt, token], sampling)
    for pair, n in counts.items():
        found[pair] = n
    assert follows_distribution(found.flatten(), expected.flatten()) == (rule == "exact")


def exact(model, tokens, sampling):
    with torch.no_grad():
        logits = model(torch.tensor([tokens]))[:, -1]
    return next_token_probabilities(logits, sampling, [History(tokens)])[0]


def test_the_model_itself_as_draft_needs_few_calls(models):
    config = GenerationConfig(max_new_tokens=26)
    draft = ModelDraft(models[0], GREEDY)
    _, seen = generate_speculatively(models[0], draft, [1, 2], config, n_draft=4)
    assert (seen.acceptance, seen.n_calls) == (1.0, 6)  # 5 + 5 + 5 + 5 + 5 + 1 tokens


def test_a_full_context_ends_the_text(models):
    config = GenerationConfig(max_new_tokens=99)
    for kind in ("another model", "lookup"):
        draft = drafts_of(models, GREEDY)[kind]
        written, _ = generate_speculatively(models[0], draft, [1] * 40, config)
        assert [written] == generate(models[0], [[1] * 40], config)
        assert len(written.tokens) == 9


def test_a_draft_with_a_shorter_context_falls_silent(make_lively, models):
    small = make_lively(DecoderConfig(**SIZES | {"context_length": 10}, d_model=8)).double()
    config = GenerationConfig(max_new_tokens=20)
    draft = ModelDraft(small, GREEDY)
    written, seen = generate_speculatively(models[0], draft, [1, 2, 3], config)
    assert [written] == generate(models[0], [[1, 2, 3]], config)
    assert seen.n_calls > 10


def test_a_draft_can_be_used_for_one_text_after_another(models):
    config, draft = GenerationConfig(max_new_tokens=12), ModelDraft(models[1], GREEDY)
    for prompt in ([1, 2, 3], [1, 2, 4], [9]):
        written, _ = generate_speculatively(models[0], draft, prompt, config)
        assert [written] == generate(models[0], [prompt], config)


def test_what_does_not_fit_is_refused(models, make_lively):
    generator = torch.Generator()
    with pytest.raises(ShapeError, match="draft: expected n=2, got 1"):
        accept([1, 2], distributions(0, 1), distributions(0, 3), generator)
    with pytest.raises(ShapeError, match="target: expected n=2, got 1"):
        accept([1], distributions(0, 1), distributions(0, 1), generator)
    with pytest.raises(ValueError, match="n_draft: expected at least 1, got 0"):
        generate_speculatively(models[0], PromptLookup(12), [1], n_draft=0)
    with pytest.raises(ShapeError, match="target: expected v=13, got 12"):
        generate_speculatively(models[0], PromptLookup(13), [1])
    with pytest.raises(ValueError, match="longest: expected at least 1, got 0"):
        PromptLookup(12, longest=0)


@pytest.mark.parametrize("seed", range(5))
def test_judged_and_redrawn_together_are_the_target(seed):
    """The chance of each token, integrated over the uniform number: exactly ``p``."""
    q, p = (distributions(10 * seed + k, 1 + k, 2.0).double() for k in (0, 1))
    q, p = (x / x.sum(-1, keepdim=True) for x in (q, p))
    total = torch.zeros(12, dtype=torch.float64)
    for token in range(12):
        accepted = min(1.0, (p[0, token] / q[0, token]).item())
        total[token] += q[0, token] * accepted
        if accepted < 1:
            n, following = judge_draft([token], q, p, torch.tensor([(1 + accepted) / 2]))
            assert n == 0
            total += q[0, token] * (1 - accepted) * following
        assert judge_draft([token], q, p, torch.tensor([accepted * 0.999]))[0] == 1
    torch.testing.assert_close(total, p[0], rtol=0, atol=1e-12)
