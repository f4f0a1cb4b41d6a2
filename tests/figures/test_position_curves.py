from itertools import pairwise

import pytest
from matplotlib import pyplot as plt

from llm_course.figures.position_curves import draw_position_curves

LOOKS = {"high": ("#0072b2", "o-"), "low": ("#d55e00", "s--"), "middle": ("#008a64", "D-.")}


def test_curves_keep_their_numbers_and_the_line_stands_where_the_window_ends():
    figure = draw_position_curves({"high": [(8, 2.0), (16, 3.0)]}, LOOKS, window=12)
    curve, line = figure.axes[0].lines
    assert curve.get_xydata().tolist() == [[8, 2.0], [16, 3.0]]
    assert curve.get_color() == "#0072b2"
    assert list(line.get_xdata()) == [12, 12]
    plt.close(figure)


def test_labels_of_curves_that_end_together_keep_apart_in_the_order_of_the_curves():
    ends = {"high": 2.02, "low": 2.0, "middle": 2.01}
    figure = draw_position_curves({k: [(4, 1.0), (8, v)] for k, v in ends.items()}, LOOKS, 4)
    texts = figure.axes[0].texts
    assert [text.get_text() for text in texts] == ["low", "middle", "high"]
    heights = [text.xy[1] for text in texts]
    assert all(b - a >= 0.07 * 2 for a, b in pairwise(heights))
    assert heights[0] == 2.0
    plt.close(figure)


def test_every_curve_needs_a_look():
    with pytest.raises(ValueError, match=r"looks: expected one for each of \['other'\]"):
        draw_position_curves({"other": [(1, 1.0)]}, LOOKS, 1)
    with pytest.raises(ValueError, match="looks: expected one"):
        draw_position_curves({}, LOOKS, 1)
