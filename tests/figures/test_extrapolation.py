"""The curves of extrapolation: every method is drawn, labelled, and no label hides another."""

from itertools import pairwise

import pytest

from llm_course.figures.extrapolation import draw_extrapolation

LOSSES = {name: [[2.5, 2.6, 2.7 + k / 100], [2.5, 2.6, 2.7]] for k, name in enumerate("abc")}


def test_a_curve_a_method_and_a_thin_line_a_seed():
    axes = draw_extrapolation([8, 16, 32], LOSSES).axes[0]
    widths = [line.get_linewidth() for line in axes.lines]
    assert len(widths) == 3 * (2 + 1) and sum(width < 1 for width in widths) == 6
    thick = [line for line in axes.lines if line.get_linewidth() > 1]
    assert [round(line.get_ydata()[-1], 4) for line in thick] == [2.7, 2.705, 2.71]


def test_labels_keep_their_distance():
    axes = draw_extrapolation([8, 16, 32], LOSSES).axes[0]
    heights = [text.xy[1] for text in axes.texts]
    assert len(heights) == 3
    assert all(later - first > 0.01 for first, later in pairwise(heights))


def test_too_many_methods_are_refused():
    with pytest.raises(ValueError, match="expected at most 6 methods, got 7"):
        draw_extrapolation([1, 2], {name: [[1.0, 2.0]] for name in "abcdefg"})
