"""Loss by position in a text, one curve a reader, with a line where its window ends."""

from collections.abc import Mapping, Sequence

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from llm_course.figures.style import MUTED, label_line

_APART = 0.07  # of the height of the axes: labels of curves that end together keep this distance

Curve = Sequence[tuple[float, float]]
"""Positions and the loss at each."""


def draw_position_curves(
    curves: Mapping[str, Curve], looks: Mapping[str, tuple[str, str]], window: int
) -> Figure:
    """Draw each curve and write its name behind its end.

    Args:
        curves: by name; all end at the same position.
        looks: colour and marker with dash of each.
        window: where a dotted line is drawn.

    Raises:
        ValueError: there is no curve, or one has no look.

    >>> figure = draw_position_curves({"plain": [(8, 2.0), (16, 1.5)]}, {"plain": ("k", "o-")}, 12)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['plain']
    """
    if not curves or set(curves) - set(looks):
        raise ValueError(f"looks: expected one for each of {[*curves]}, got {[*looks]}.")
    figure, axes = plt.subplots(figsize=(7.4, 3.4))
    end = max(position for curve in curves.values() for position, _ in curve)
    top = 1.08 * max(loss for curve in curves.values() for _, loss in curve)
    height = -top
    for name in sorted(curves, key=lambda name: curves[name][-1][1]):
        colour, look = looks[name]
        axes.plot(*zip(*curves[name], strict=True), look, color=colour, markersize=4)
        height = max(curves[name][-1][1], height + _APART * top)
        label_line(axes, end, height, name, colour)
    axes.axvline(window, color=MUTED, linestyle=":", linewidth=0.8)
    axes.set(xlabel="position", ylabel="nats a token", xlim=(0, 1.35 * end), ylim=(0, top))
    return figure
