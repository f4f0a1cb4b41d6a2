from types import SimpleNamespace

import pytest
from matplotlib import colors
from matplotlib import pyplot as plt

from llm_course.figures.style import BLUE, VERMILLION
from llm_course.figures.timeline import draw_timeline


def action(stage, kind, microbatch, start, end):
    return SimpleNamespace(stage=stage, kind=kind, microbatch=microbatch, start=start, end=end)


def test_each_action_has_its_box_at_its_time_in_its_row():
    figure, axes = plt.subplots()
    draw_timeline(
        axes, [action(0, "F", 3, 10.0, 11.0), action(1, "B", 4, 11.5, 13.5)], title="t", end=5
    )
    boxes = [(b.get_x(), b.get_width(), b.get_y() + b.get_height() / 2) for b in axes.patches]
    assert boxes == [(0.0, 1.0, pytest.approx(0)), (1.5, 2.0, pytest.approx(1))]
    assert [colors.to_hex(b.get_facecolor()) for b in axes.patches] == [BLUE, VERMILLION]
    first, second = axes.patches
    assert first.get_height() > second.get_height(), "told apart without colours, too"
    assert [(t.get_text(), t.get_position()) for t in axes.texts] == [
        ("3", (0.5, 0)),
        ("4", (2.5, 1)),
    ]
    assert axes.get_xlim() == (0, 5)
    assert axes.yaxis_inverted(), "the first stage stands on top"
    plt.close(figure)


def test_nothing_to_draw():
    figure, axes = plt.subplots()
    with pytest.raises(ValueError, match="at least one, got none"):
        draw_timeline(axes, [], title="", end=1)
    plt.close(figure)
