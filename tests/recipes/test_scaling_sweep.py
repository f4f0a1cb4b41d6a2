"""The sweep: every run reads its text once, a stopped sweep goes on, and the record is complete."""

import json
from collections import Counter

import pytest
import torch

from llm_course.recipes import scaling_sweep as sweep
from llm_course.recipes.scaling_sweep import SweepConfig
from llm_course.resources.recorded import load_recorded
from llm_course.scaling.counting import count_decoder

CONFIG = SweepConfig(batch_size=2, length=16, held_out_bytes=200)
DATA = torch.arange(2000) % 256, torch.arange(200)


def test_a_run_reads_every_byte_once_in_random_order():
    seen = Counter()
    rows = []
    for tokens, targets in sweep.batches_once(DATA[0], 320, CONFIG):
        assert torch.equal(tokens[:, 1:], targets[:, :-1])
        rows += tokens[:, 0].tolist()
        seen.update(tokens.flatten().tolist())
    assert sum(seen.values()) == 320
    expected = Counter((DATA[0][:320]).tolist())
    assert seen == expected
    assert rows != sorted(rows)
    with pytest.raises(ValueError, match="n_tokens: expected fewer than the corpus has, 2000"):
        list(sweep.batches_once(DATA[0], 2000, CONFIG))


def test_the_loss_of_a_model_that_knows_nothing_is_that_of_256_bytes():
    model = sweep.sweep_decoder(1, 16, 16, seed=0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    loss = sweep.held_out_loss(model, torch.arange(200) % 256, 16)
    assert loss == pytest.approx(torch.tensor(256.0).log().item(), abs=1e-5)


def test_a_run_learns_and_repeats_itself():
    text = torch.tensor(list(b"abcd" * 3000))
    one, other = (sweep.run(1, 16, 8192, CONFIG, (text, text[:200])) for _ in range(2))
    assert one == other
    assert one["loss"] < 1.0 and one["n_tokens"] == 8192


def test_a_stopped_sweep_goes_on_and_gives_the_same_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "SHAPES", ((1, 16), (1, 32)))
    monkeypatch.setattr(sweep, "TOKENS", (64, 128))
    monkeypatch.setattr(sweep, "corpus_bytes", lambda n: DATA)
    keys = sweep.plan()
    whole = sweep.sweep(tmp_path / "whole.json", CONFIG, keys)
    assert [(row["d_model"], row["n_tokens"]) for row in whole] == [key[1:] for key in keys]

    runs, real = [], sweep.run

    def stops(*how):
        if len(runs) == 2:
            raise KeyboardInterrupt
        runs.append(how)
        return real(*how)

    monkeypatch.setattr(sweep, "run", stops)
    with pytest.raises(KeyboardInterrupt):
        sweep.sweep(tmp_path / "part.json", CONFIG, keys)
    assert len(json.loads((tmp_path / "part.json").read_text())) == 2
    monkeypatch.setattr(sweep, "run", lambda *how: runs.append(how) or real(*how))
    assert sweep.sweep(tmp_path / "part.json", CONFIG, keys) == whole
    assert len(runs) == 4, "what was finished is not run again"


def test_every_run_is_recorded():
    recorded = load_recorded("scaling_sweep")
    keys = [(row["n_layers"], row["d_model"], row["n_tokens"]) for row in recorded.rows]
    assert keys == [tuple(key) for key in sweep.plan()] and len(keys) >= 30
    for row in recorded.rows:
        layers, width = int(row["n_layers"]), int(row["d_model"])
        matrices, embedding, _ = count_decoder(layers, width, 8 * width // 3, 256, 1, gated=True)
        vectors = (2 * layers + 1) * width
        assert row["n_non_embedding"] == matrices + vectors
        assert row["n_parameters"] == matrices + vectors + embedding
        assert 1 < row["loss"] < 3
    longest = max(row["n_tokens"] for row in recorded.rows)
    by_size = [row["loss"] for row in recorded.rows if row["n_tokens"] == longest]
    assert by_size == sorted(by_size, reverse=True), "larger models lose less"
    assert recorded.provenance["config"]["batch_size"] == SweepConfig().batch_size


def test_runs_of_equal_work_cost_the_same_and_are_recorded():
    rows = load_recorded("scaling_isoflop").rows
    keys = [(row["n_layers"], row["d_model"], row["n_tokens"]) for row in rows]
    assert keys == [tuple(key) for key in sweep.isoflop_plan(SweepConfig())]
    work = [6 * row["n_parameters"] * row["n_tokens"] for row in rows]
    for budget in sweep.ISOFLOP_BUDGETS:
        alike = [flops for flops in work if abs(flops / budget - 1) < 0.01]
        assert len(alike) >= 3, f"{budget:.1e}"
    assert max(row["n_tokens"] for row in rows) <= sweep.CORPUS_BYTES


@pytest.mark.parametrize("table", ["scaling_sweep", "scaling_isoflop"])
def test_main_records_what_was_made(monkeypatch, table):
    made = {}
    monkeypatch.setattr(sweep, "sweep", lambda partial, config, keys: [{"loss": 1.0}] * len(keys))
    monkeypatch.setattr(
        sweep, "record", lambda name, rows, **how: made.update(name=name, rows=rows, **how)
    )
    sweep.main(table)
    assert made["name"] == table and made["seeds"] == [0]
    assert made["command"].endswith(f"python -m llm_course.recipes.scaling_sweep {table}")
    assert len(made["rows"]) > 15
