"""The study: all read the same text, nothing held out is learned from, the record is complete."""

import math

import pytest
import torch
from torch.nn import functional

from llm_course.recipes import evolution_study as study
from llm_course.resources.recorded import load_recorded


@pytest.fixture(scope="module")
def corpus():
    return study.encyclopedia(12_000, vocab_size=300)


def test_held_out_texts_are_not_among_those_to_learn_from(corpus):
    learned = {corpus.tokenizer.decode(text) for text in corpus.texts}
    held_out = [corpus.tokenizer.decode(text) for text in corpus.held_out]
    assert not any(text in other for text in held_out for other in learned)
    assert corpus.held_out_bytes == sum(len(text.encode()) for text in held_out)
    n_tokens = sum(len(text) + 1 for text in corpus.texts)
    assert n_tokens >= 12_000 > n_tokens - len(corpus.texts[-1]) - 1
    some = corpus.first(5000)
    assert 0 < sum(len(text) + 1 for text in some) <= 5000
    assert some == corpus.texts[: len(some)]


def test_more_text_and_better_smoothing_need_fewer_bits(corpus):
    bits = [study.counted_bits(corpus, n) for n in (2000, 12_000)]
    assert bits[1] < bits[0]
    assert bits[1] < study.counted_bits(corpus, 12_000, k=0.1)


@pytest.mark.parametrize("name", study.NEURAL)
def test_a_model_scores_by_what_came_before_and_learns(corpus, name):
    _, scores = study.neural_model(name, 300, seed=0)
    row = torch.randint(300, (1, 9), generator=torch.Generator().manual_seed(0))
    other = row.clone()
    other[0, -1] = (row[0, -1] + 1) % 300
    assert scores(row).shape == (1, 9, 300)
    torch.testing.assert_close(scores(row)[:, :-1], scores(other)[:, :-1])
    first = study.neural_bits(scores, corpus)
    [(mark, last)] = list(study.neural_curve(name, corpus, [10_000]))
    assert mark == 10_000 and last < first - 0.3


def test_bits_are_those_of_cross_entropy(corpus):
    _, scores = study.neural_model("lstm", 300, seed=0)
    total = 0.0
    for text in corpus.held_out:
        with torch.no_grad():
            logits = scores(torch.tensor([[0, *text]]))[0]
        total += functional.cross_entropy(logits, torch.tensor([*text, 0]), reduction="sum").item()
    expected = total / math.log(2) / corpus.held_out_bytes
    assert study.neural_bits(scores, corpus) == pytest.approx(expected, rel=1e-5)


def test_what_there_is_not_is_refused(corpus):
    with pytest.raises(ValueError, match="name: expected one of neural, lstm, transformer"):
        study.neural_model("gru", 300, 0)
    with pytest.raises(ValueError, match="marks: expected at most"):
        list(study.neural_curve("lstm", corpus, [10**9]))
    with pytest.raises(ValueError, match="n_tokens: expected at most"):
        study.encyclopedia(10**9)


def test_every_point_is_recorded():
    recorded = load_recorded("evolution_curves")
    keys = [(row["model"], row["n_tokens"]) for row in recorded.rows]
    models = ["add-k", "kneser-ney", *study.NEURAL]
    assert keys == [(model, mark) for model in models for mark in study.MARKS]
    for model in models:
        bits = [row["bits_per_byte"] for row in recorded.rows if row["model"] == model]
        assert min(bits) > 0.5 and bits[-1] < bits[0] < 8
    assert recorded.provenance["command"].endswith("llm_course.recipes.evolution_study")


def test_main_records_what_was_made(monkeypatch):
    made = {}
    monkeypatch.setattr(study, "curve_rows", lambda marks: [{"n": len(marks)}])
    monkeypatch.setattr(
        study, "record", lambda name, rows, **how: made.update(name=name, rows=rows, **how)
    )
    study.main()
    assert made["name"] == "evolution_curves" and made["rows"] == [{"n": len(study.MARKS)}]


def test_rows_cover_all_models(monkeypatch, corpus):
    monkeypatch.setattr(study, "encyclopedia", lambda n: corpus)
    rows = study.curve_rows([4000, 8000])
    assert len(rows) == 2 * (2 + len(study.NEURAL))
    assert all(row["bits_per_byte"] > 1 for row in rows)
