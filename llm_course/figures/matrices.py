"""Small matrices drawn as the formula writes them: `softmax( Q Kᵀ + M ) V`, cell by cell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from llm_course.figures.style import DIVERGING, INK, MUTED, SEQUENTIAL, text_colour

CELL = 0.46  # inches


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """One matrix of a picture.

    Args:
        values: rows by columns; `-inf` is written as −∞ on a grey cell.
        title: what stands above it, such as `Q`.
        rows: one label for each row, on the left.
        columns: one label for each column, above it.
        weights: True for values between 0 and 1 (sequential colours); otherwise the colours
            diverge from 0.
    """

    values: ArrayLike
    title: str
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    weights: bool = False


def draw_equation(parts: Sequence[Matrix | str], decimals: int = 2) -> Figure:
    """Draw matrices and the signs between them on one line.

    Args:
        parts: matrices, and strings such as `"·"`, `"="` or `"softmax →"` between them.
        decimals: digits after the point in each cell.

    >>> left, right = Matrix(values=[[1.0]], title="A"), Matrix(values=[[1.0]], title="B")
    >>> figure = draw_equation([left, "=", right])
    >>> len(figure.axes)
    3
    """
    widths = [_width(part) for part in parts]
    heights = [np.shape(part.values)[0] for part in parts if isinstance(part, Matrix)]
    tallest = max(heights)
    figure, axes = plt.subplots(
        1,
        len(parts),
        figsize=(CELL * sum(widths), CELL * (tallest + 1.6)),
        width_ratios=widths,
        squeeze=False,
        layout="none",
    )
    figure.subplots_adjust(left=0, right=1, bottom=0, top=1, wspace=0)
    for axis, part, width in zip(axes[0], parts, widths, strict=True):
        axis.set(xlim=(0, width), ylim=(tallest + 0.1, -1.5), aspect="equal")
        axis.axis("off")
        if isinstance(part, Matrix):
            _draw_matrix(axis, part, tallest, width, decimals)
        else:
            axis.text(width / 2, tallest / 2, part, ha="center", va="center", fontsize=13)
    return figure


def _width(part: Matrix | str) -> float:
    """Width of a part, in cells."""
    if isinstance(part, str):
        return 0.7 + 0.22 * max(len(line) for line in part.splitlines())
    return np.shape(part.values)[1] + _margin(part) + 0.25


def _margin(matrix: Matrix) -> float:
    """Room on the left for the row labels, in cells."""
    return 0.25 + 0.23 * max((len(label) for label in matrix.rows), default=0)


def _draw_matrix(axis: Axes, matrix: Matrix, tallest: int, width: float, decimals: int) -> None:
    values = np.asarray(matrix.values, dtype=float)
    n_rows, n_columns = values.shape
    top, left = (tallest - n_rows) / 2, _margin(matrix)
    finite = np.abs(values[np.isfinite(values)])
    largest = 1.0 if matrix.weights else max(finite.max(initial=0.0), 1e-9)
    for row in range(n_rows):
        for column in range(n_columns):
            _draw_cell(
                axis, left + column, top + row, values[row, column], largest, matrix, decimals
            )
    for row, label in enumerate(matrix.rows):
        axis.text(left - 0.15, top + row + 0.5, label, ha="right", va="center", fontsize=9)
    for column, label in enumerate(matrix.columns):
        axis.text(left + column + 0.5, top - 0.12, label, ha="center", va="bottom", fontsize=9)
    title_height = top - (0.62 if len(matrix.columns) else 0.2)
    centre = left + n_columns / 2
    axis.text(centre, title_height, matrix.title, ha="center", va="bottom", fontweight="bold")


def _draw_cell(
    axis: Axes, x: float, y: float, value: float, largest: float, matrix: Matrix, decimals: int
) -> None:
    """One cell: its colour by value, its number in whichever of black and white reads better."""
    if np.isneginf(value):
        face, text, ink = "#d9d9d9", "−∞", "#000000"
    else:
        colormap = SEQUENTIAL if matrix.weights else DIVERGING
        share = value / largest if matrix.weights else 0.5 - 0.4 * value / largest
        face, ink = plt.get_cmap(colormap)(share), text_colour(share, colormap)
        text = f"{value:.{decimals}f}".replace("-", "−")
    axis.add_patch(plt.Rectangle((x, y), 1, 1, facecolor=face, edgecolor=MUTED, linewidth=0.6))
    axis.text(x + 0.5, y + 0.52, text, ha="center", va="center", color=ink, fontsize=8.5)


def draw_mask(axis: Axes, mask: ArrayLike, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Draw a boolean mask: filled where a query (row) may attend to a key (column).

    Shapes:
        mask: `(q, k)`, True = may attend.
    """
    allowed = np.asarray(mask, dtype=bool)
    n_rows, n_columns = allowed.shape
    for row, column in np.ndindex(n_rows, n_columns):
        axis.add_patch(
            plt.Rectangle(
                (column, row), 1, 1, edgecolor=MUTED, linewidth=0.6,
                facecolor="#0072b2" if allowed[row, column] else "none",
            )
        )  # fmt: skip
        if not allowed[row, column]:
            axis.text(column + 0.5, row + 0.5, "×", ha="center", va="center", color=INK)
    axis.set(xlim=(0, n_columns), ylim=(n_rows, 0), aspect="equal", xlabel="key", ylabel="query")
    axis.set_xticks(np.arange(n_columns) + 0.5, columns)
    axis.set_yticks(np.arange(n_rows) + 0.5, rows)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
