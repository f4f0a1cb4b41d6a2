"""The palette is legible and the style sheet is the one in force."""

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from llm_course.figures.style import (
    DIVERGING,
    PALETTE,
    SEQUENTIAL,
    contrast,
    label_line,
    text_colour,
    use_style,
)


@pytest.mark.parametrize("colour", PALETTE.values(), ids=PALETTE.keys())
def test_every_line_colour_has_contrast_three_on_white(colour):
    assert contrast(colour, "white") >= 3


def test_contrast_of_a_published_pair():
    # WCAG's worked examples: #777777 on white is 4.48:1, pure red on white 4.0:1.
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ff0000", "white") == pytest.approx(4.0, abs=0.01)


@pytest.mark.parametrize("colormap", [SEQUENTIAL, DIVERGING])
def test_numbers_in_cells_read_on_every_shade(colormap):
    for step in range(21):
        share = step / 20
        background = mpl.colormaps[colormap](share)[:3]
        assert contrast(text_colour(share, colormap), background) >= 4.5, share


def test_lines_follow_the_palette_and_differ_in_marker_or_dash():
    use_style()
    cycle = mpl.rcParams["axes.prop_cycle"].by_key()
    assert cycle["color"] == list(PALETTE.values())
    assert len(set(zip(cycle["marker"], cycle["linestyle"], strict=True))) == len(PALETTE)


def test_label_line_writes_in_the_colour_of_the_line():
    figure, axes = plt.subplots()
    label_line(axes, 1, 2, "ours", "#0072b2")
    assert [(text.get_text(), text.get_color()) for text in axes.texts] == [("ours", "#0072b2")]
    plt.close(figure)
