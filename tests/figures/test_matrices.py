"""Matrices show their numbers, −∞ included, and a mask shows which side is allowed."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from llm_course.figures.matrices import Matrix, draw_equation, draw_mask


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def _texts(axes):
    return [text.get_text() for text in axes.texts]


def test_every_number_and_label_is_written_once():
    figure = draw_equation([Matrix(values=[[1, -2], [0.5, 0]], title="A", rows="pq", columns="xy")])
    assert sorted(_texts(figure.axes[0])) == sorted(
        ["1.00", "−2.00", "0.50", "0.00", "p", "q", "x", "y", "A"]
    )


def test_minus_infinity_is_written_as_such():
    figure = draw_equation([Matrix(values=[[0.0, -np.inf]], title="M")])
    assert "−∞" in _texts(figure.axes[0])


def test_signs_stand_between_matrices_of_different_height():
    tall = Matrix(values=np.zeros((4, 1)), title="tall")
    flat = Matrix(values=np.zeros((1, 2)), title="flat")
    figure = draw_equation([tall, "·", flat])
    assert _texts(figure.axes[1]) == ["·"]
    heights = {axes.get_ylim() for axes in figure.axes}
    assert len(heights) == 1, "all parts share one vertical scale"


def test_a_mask_crosses_out_what_is_hidden_only():
    figure, axes = plt.subplots()
    draw_mask(axes, [[True, False], [True, True]], rows="ab", columns="ab")
    crosses = [text for text in axes.texts if text.get_text() == "×"]
    assert [cross.get_position() for cross in crosses] == [(1.5, 0.5)], "column b of row a"
    filled = [patch.get_facecolor()[3] > 0 for patch in axes.patches]
    assert filled == [True, False, True, True]
