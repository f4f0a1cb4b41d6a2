import math

import pytest
import torch

from llm_course.recipes import placement_study
from llm_course.recipes.placement_study import Study

DATA = torch.arange(400) % 7 + 97
TINY = Study(depth=1, width=8, n_steps=80, batch_size=4, length=8)


def test_batches_are_windows_and_their_next_bytes():
    data = torch.arange(50)
    for tokens, targets in placement_study.draw_batches(
        data, torch.Generator().manual_seed(0), n=5, batch_size=3, length=6
    ):
        assert tokens.shape == targets.shape == (3, 6)
        assert torch.equal(targets, tokens + 1)


def test_xavier_has_the_deviation_of_its_formula():
    model = placement_study.placed_decoder("pre", depth=2, width=64, seed=0)
    weight = model.blocks[1].feed_forward.up.weight  # 256 x 64
    assert weight.std().item() == pytest.approx(math.sqrt(2 / (256 + 64)), rel=0.03)


def test_all_placements_but_deep_norm_start_from_the_same_matrices():
    models = {p: placement_study.placed_decoder(p, 2, 16, 3) for p in placement_study.PLACEMENTS}
    weights = {p: m.blocks[0].feed_forward.up.weight for p, m in models.items()}
    assert torch.equal(weights["post"], weights["pre"])
    assert torch.equal(weights["post"], weights["sandwich"])
    ratio = weights["deep_norm"].std() / weights["post"].std()
    assert ratio.item() == pytest.approx((8 * 2) ** -0.25, rel=0.15)


def test_a_run_learns_a_cycle_of_bytes_and_repeats_exactly():
    first, second = (placement_study.final_loss("pre", 3e-2, 0, DATA, TINY) for _ in range(2))
    assert first == second < math.log(7)


def test_a_run_that_diverges_ends_at_infinity(monkeypatch):
    def diverge(*_):
        raise placement_study.NonFiniteLoss("loss", math.nan, 0, [])

    monkeypatch.setattr(placement_study, "train", diverge)
    assert placement_study.final_loss("post", 1e-2, 0, DATA, TINY) == math.inf


def test_rows_hold_the_whole_grid_and_the_best_rate(monkeypatch):
    monkeypatch.setattr(placement_study, "encyclopedia_bytes", lambda: DATA)
    monkeypatch.setattr(
        placement_study, "final_loss", lambda p, r, s, data, study: abs(r - 0.2) + s / 1e6
    )
    grid = placement_study.stability_rows(TINY, [0.1, 0.2], [0, 1])
    assert len({(row["placement"], row["rate"], row["seed"]) for row in grid}) == 4 * 2 * 2
    chosen = placement_study.best_rate_rows(("post", "pre"), TINY, [0.1, 0.2], [0, 1])
    assert [row["rate"] for row in chosen] == [0.2] * 4
