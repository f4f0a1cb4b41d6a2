"""Who may look at whom, drawn as a square of rounded cells in four colours.

The colours say which parts of a text a cell joins: source with source, target with source, target
with target, and hidden. Each has a sign of its own as well, so that colour is never needed.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from numpy.typing import ArrayLike

from llm_course.figures.style import BLUE, GREEN, INK, MUTED, PAPER, YELLOW

SIGNS = {"o": "● ", "s": "■ ", "^": "▲ ", "": ""}
"""Each sign as text, for the line below."""

KINDS = {
    "source to source": (BLUE, "o"),
    "target to source": (GREEN, "s"),
    "target to target": (YELLOW, "^"),
    "hidden": (MUTED, ""),
}
"""Colour and sign of each kind of cell."""


def kind_of(query: int, key: int, visible: bool, n_source: int) -> str:
    """Which kind of cell this is, a key of ``KINDS``; the source is the first tokens.

    >>> kind_of(3, 0, True, n_source=2), kind_of(0, 1, False, n_source=2)
    ('target to source', 'hidden')
    """
    if not visible:
        return "hidden"
    parts = ["source" if token < n_source else "target" for token in (query, key)]
    return " to ".join(parts)


def draw_mask_pattern(
    axes: Axes,
    mask: ArrayLike,
    n_source: int,
    labels: Sequence[str],
    *,
    title: str = "",
    divided: bool = False,
) -> None:
    """Draw a mask: queries down the side, keys along the top.

    Args:
        axes: where to draw.
        mask: True = may attend.
        n_source: how many of the tokens are the source, or prefix; the rest is the target.
        labels: one for each token.
        title: what stands above.
        divided: whether a line parts source from target, as two stacks of blocks are parted.

    Shapes:
        mask ``(t, t)``.

    Raises:
        ValueError: the mask is not square, a source looks at a target, or a label is missing.

    Source:
        the form of Zhao et al. 2023, arXiv:2303.18223, figure of the three architectures.
    """
    seen = np.asarray(mask, dtype=bool)
    n = len(labels)
    if seen.shape != (n, n):
        raise ValueError(f"mask: expected shape ({n}, {n}), a row a label, got {seen.shape}.")
    for query, key in np.ndindex(n, n):
        kind = kind_of(query, key, bool(seen[query, key]), n_source)
        if kind not in KINDS:
            raise ValueError(f"mask: expected no {kind}, got one from {query} to {key}.")
        _draw_cell(axes, query, key, *KINDS[kind])
    if divided:
        axes.plot([-1.6, n], [n_source, n_source], color=INK, linewidth=1.2, marker="", ls="--")
    axes.set_xticks(np.arange(n) + 0.5, labels)
    axes.set_yticks(np.arange(n) + 0.5, labels)
    axes.set(xlim=(-0.05, n + 0.05), ylim=(n + 0.05, -0.05), aspect="equal")
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=8.5)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(title)


def draw_mask_patterns(
    masks: dict[str, ArrayLike],
    n_source: int,
    labels: Sequence[str],
    *,
    divided: Sequence[str] = (),
) -> Figure:
    """Several masks side by side, over one line that says what the four kinds of cell are.

    >>> figure = draw_mask_patterns({"causal": [[1, 0], [1, 1]]}, 1, ["x", "y"])
    >>> [text.get_text() for text in figure.texts]
    ['● source to source', '■ target to source', '▲ target to target', 'hidden']
    """
    figure, panels = plt.subplots(
        1, len(masks), figsize=(3.1 * len(masks), 3.7), squeeze=False, layout="none"
    )
    figure.subplots_adjust(left=0.06, right=0.99, top=0.86, bottom=0.12, wspace=0.22)
    for panel, (title, mask) in zip(panels[0], masks.items(), strict=True):
        draw_mask_pattern(panel, mask, n_source, labels, title=title, divided=title in divided)
    for i, (kind, (colour, sign)) in enumerate(KINDS.items()):
        figure.text(
            (i + 0.5) / len(KINDS), 0.03, SIGNS[sign] + kind, color=colour, ha="center",
            fontweight="bold",
        )  # fmt: skip
    return figure


def _draw_cell(axes: Axes, query: int, key: int, colour: str, sign: str) -> None:
    """One rounded cell: filled with its sign, or an empty outline for what is hidden."""
    box = FancyBboxPatch(
        (key + 0.14, query + 0.14), 0.72, 0.72, boxstyle="round,pad=0,rounding_size=0.18",
        facecolor=colour if sign else "none", edgecolor=colour, linewidth=0.8,
        alpha=1.0 if sign else 0.6,
    )  # fmt: skip
    axes.add_patch(box)
    if sign:
        axes.plot(key + 0.5, query + 0.5, sign, color=PAPER, markersize=3.5)
