"""Token rows and lattices: every token and piece is written, the best path stands out."""

from itertools import pairwise

import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from llm_course.figures.style import VERMILLION
from llm_course.figures.tokens import draw_lattice, draw_token_rows

EDGES = [(0, 1, -1.0), (1, 2, -2.0), (2, 3, -1.0), (0, 2, -1.5), (1, 3, -4.0)]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_every_token_has_a_box_as_wide_as_its_characters():
    axes = draw_token_rows({"one": ["a", "bcd"], "two": ["ab$", "c", "d"]}).axes[0]
    assert [text.get_text() for text in axes.texts] == [
        *["one  2", "a", "bcd"],
        *["two  3", r"ab\$", "c", "d"],
    ]
    widths = [patch.get_xy()[:, 0].max() - patch.get_xy()[:, 0].min() for patch in axes.patches]
    assert widths == pytest.approx([1, 3, 3, 1, 1])
    left, right = axes.get_xlim()
    assert left < -len("one  2") / 2 and right > max(p.get_xy()[:, 0].max() for p in axes.patches)


def test_boxes_of_a_row_do_not_touch():
    axes = draw_token_rows({"row": ["abc", "d", "ef"]}).axes[0]
    spans = [(p.get_xy()[:, 0].min(), p.get_xy()[:, 0].max()) for p in axes.patches]
    assert all(first[1] < second[0] for first, second in pairwise(spans))


def test_only_the_best_path_is_emphasised():
    axes = draw_lattice("abc", EDGES, ["ab", "c"], decimals=1).axes[0]
    bold = {text.get_text() for text in axes.texts if text.get_fontweight() == "bold"}
    assert bold == {"ab −1.5", "c −1.0"}
    assert len(axes.texts) == len(EDGES)
    arcs = [line for line in axes.lines if len(line.get_xdata()) > 1]
    chosen = [line for line in arcs if to_rgb(line.get_color()) == to_rgb(VERMILLION)]
    ends = sorted((line.get_xdata()[0], line.get_xdata()[-1]) for line in chosen)
    assert len(arcs) == len(EDGES) and ends == [(0, 2), (2, 3)]


@pytest.mark.parametrize("rows", [{}, {"one": []}])
def test_nothing_to_draw_is_refused(rows):
    with pytest.raises(ValueError, match="rows: expected at least one"):
        draw_token_rows(rows)


def test_a_path_of_another_word_is_refused():
    with pytest.raises(ValueError, match="expected pieces of 'abc'"):
        draw_lattice("abc", EDGES, ["ab"])
