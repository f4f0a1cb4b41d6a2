"""The picture of a mask: every cell has the kind that the definition gives it."""

import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch

from llm_course.figures.mask_pattern import KINDS, YELLOW, draw_mask_pattern, draw_mask_patterns
from llm_course.figures.style import BLUE, GREEN, contrast

PREFIX = [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]  # two of four tokens


def cells(axes):
    """The colour of the filled cells and None of the hidden ones, by query and key."""
    found = {}
    for patch in axes.patches:
        if isinstance(patch, FancyBboxPatch):
            face = patch.get_facecolor()
            place = int(patch.get_y()), int(patch.get_x())
            found[place] = None if face[3] == 0 else to_hex(face)
    return found


def test_each_cell_has_the_colour_of_what_it_joins():
    figure, axes = plt.subplots()
    draw_mask_pattern(axes, PREFIX, 2, list("abcd"))
    found = cells(axes)
    assert len(found) == 16
    for (query, key), colour in found.items():
        expected = BLUE if query < 2 else GREEN if key < 2 else YELLOW
        assert colour == (expected if PREFIX[query][key] else None), (query, key)
    plt.close(figure)


def test_every_visible_cell_carries_a_sign_and_a_hidden_one_none():
    figure = draw_mask_patterns({"one": PREFIX, "two": PREFIX}, 2, list("abcd"), divided=["two"])
    one, two = figure.axes
    signs = [line.get_marker() for line in one.lines]
    assert sorted(signs) == sorted(["o"] * 4 + ["s"] * 4 + ["^"] * 3)
    assert len(two.lines) == len(one.lines) + 1  # the line between two stacks
    plt.close(figure)


def test_colours_have_contrast_and_signs_differ():
    assert all(contrast(colour, "white") >= 3 for colour, _ in KINDS.values())
    assert len({sign for _, sign in KINDS.values()}) == 4


def test_what_is_no_mask_of_a_source_and_a_target_is_refused():
    figure, axes = plt.subplots()
    with pytest.raises(ValueError, match=r"mask: expected shape \(2, 2\), a row a label, got"):
        draw_mask_pattern(axes, PREFIX, 1, ["a", "b"])
    with pytest.raises(ValueError, match="expected no source to target, got one from 0 to 1"):
        draw_mask_pattern(axes, [[1, 1], [1, 1]], 1, ["a", "b"])
    plt.close(figure)
