"""The three drawings of attention show the weights they are given."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from llm_course.figures.attention import draw_head_scores, draw_heat_map, draw_lines


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_lines_go_from_query_to_key_with_the_weight_as_strength(axes):
    draw_lines(axes, [[1.0, 0.0], [0.3, 0.7]], ["a", "b"])
    drawn = {tuple(line.get_ydata()): line.get_alpha() for line in axes.lines}
    assert drawn == {(0, 0): 1.0, (1, 0): 0.3, (1, 1): 0.7}


def test_a_heat_map_puts_the_first_query_on_top(axes):
    draw_heat_map(axes, np.eye(3), ["a", "b", "c"], title="t")
    bottom, top = axes.get_ylim()
    assert bottom > top, "row 0 is drawn at the top"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]


def test_the_largest_score_is_labelled_at_its_layer_and_head():
    scores = np.zeros((3, 2))
    scores[2, 1] = 0.75
    figure = draw_head_scores(scores, title="t")
    (label,) = figure.axes[0].texts
    assert label.get_text() == "0.75" and label.get_position() == (2.5, 1.5)
    plt.close(figure)
