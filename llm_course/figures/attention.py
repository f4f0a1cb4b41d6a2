"""Attention drawn three ways: as lines between words, as a matrix, as one number for each head."""

from collections.abc import Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from llm_course.figures.style import BLUE, SEQUENTIAL, text_colour

FAINTEST = 0.04  # lines thinner than this share of a row only make the picture grey


def draw_lines(
    axes: Axes, weights: ArrayLike, tokens: Sequence[str], *, title: str = "", colour: str = BLUE
) -> None:
    """Draw one head as lines from each query (left) to the keys it attends to (right).

    The line's strength is the weight; weights below 0.04 are left out.

    Shapes:
        weights: `(q, k)`, rows sum to 1.

    Source:
        the form of Vaswani et al. 2017, arXiv:1706.03762, figures 3 to 5.
    """
    matrix = np.asarray(weights, dtype=float)
    for query, key in np.argwhere(matrix >= FAINTEST):
        share = min(matrix[query, key], 1.0)
        axes.plot(
            [0, 1], [query, key], color=colour, alpha=share, linewidth=0.6 + 2.4 * share,
            marker="", linestyle="-", solid_capstyle="round",
        )  # fmt: skip
    for position, token in enumerate(tokens):
        axes.text(-0.05, position, token, ha="right", va="center", fontsize=9)
        axes.text(1.05, position, token, ha="left", va="center", fontsize=9)
    axes.set(xlim=(-0.75, 1.75), ylim=(len(tokens) - 0.4, -1.3))
    axes.text(0, -0.8, "query", ha="right", fontsize=8.5)
    axes.text(1, -0.8, "key", ha="left", fontsize=8.5)
    axes.set_title(title)
    axes.axis("off")


def draw_heat_map(
    axes: Axes, weights: ArrayLike, tokens: Sequence[str], *, title: str = ""
) -> None:
    """Draw one head as a matrix: queries down the side, keys along the bottom.

    Shapes:
        weights: `(q, k)`, values from 0 to 1.
    """
    matrix = np.asarray(weights, dtype=float)
    axes.pcolormesh(matrix, cmap=SEQUENTIAL, vmin=0, vmax=1, edgecolors="face", linewidth=0.2)
    places = np.arange(len(tokens)) + 0.5
    axes.set_xticks(places, tokens, rotation=90)
    axes.set_yticks(places, tokens)
    axes.set(ylim=(len(tokens), 0), aspect="equal")
    axes.tick_params(length=0, labelsize=8)
    axes.set_title(title)


def draw_head_scores(
    scores: ArrayLike, *, title: str, low: str = "0", high: str = "1", vmax: float = 1.0
) -> Figure:
    """Draw one number for each head of a model: layers along the bottom, heads up the side.

    Shapes:
        scores: `(layers, heads)`.

    >>> figure = draw_head_scores([[0.0, 1.0]], title="share of weight on the previous token")
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['1.00']
    """
    table = np.asarray(scores, dtype=float)
    n_layers, n_heads = table.shape
    figure, axes = plt.subplots(figsize=(max(4.2, 0.32 * n_layers + 1.4), 0.3 * n_heads + 1.1))
    image = axes.pcolormesh(
        table.T, cmap=SEQUENTIAL, vmin=0, vmax=vmax, edgecolors="face", linewidth=0.2
    )
    axes.set_xticks(np.arange(n_layers) + 0.5, range(n_layers))
    axes.set_yticks(np.arange(n_heads) + 0.5, range(n_heads))
    axes.tick_params(length=0, labelsize=8)
    axes.set(xlabel="layer", ylabel="head", title=title)
    layer, head = np.unravel_index(table.argmax(), table.shape)
    share = table[layer, head] / vmax
    axes.text(
        layer + 0.5, head + 0.5, f"{table[layer, head]:.2f}", ha="center", va="center",
        fontsize=6.5, color=text_colour(share),
    )  # fmt: skip
    bar = figure.colorbar(image, ax=axes, pad=0.02)
    bar.set_ticks([0, vmax], labels=[low, high])
    bar.outline.set_visible(False)
    return figure
