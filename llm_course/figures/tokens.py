"""Texts cut into tokens, one row each, and the lattice of a word's segmentations.

Only labels are drawn: the tokens come from a tokenizer's ``tokens``, the edges from a lattice.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from llm_course.figures.style import BLUE, GREEN, INK, MUTED, VERMILLION

GAP, CHARACTER = 0.35, 0.092
"""Between two tokens, in characters; and inches a character."""

ARC = 0.55
"""How much higher an arc is that is one character longer."""


def draw_token_rows(rows: Mapping[str, Sequence[str]]) -> Figure:
    """Draw the tokens of several texts or tokenizers under each other, with their number.

    Args:
        rows: the tokens of each row, by its name.

    Raises:
        ValueError: there is no row, or one has no token.

    >>> len(draw_token_rows({"letters": ["a", "b"], "word": ["ab"]}).axes)
    1
    """
    if not rows or not all(rows.values()):
        raise ValueError("rows: expected at least one, each with tokens, got none.")
    margin = max(map(len, rows)) + 6
    widest = max(sum(len(token) + GAP for token in tokens) for tokens in rows.values())
    figure, axes = plt.subplots(figsize=(CHARACTER * (margin + widest), 0.36 * len(rows)))
    for y, (name, tokens) in enumerate(rows.items()):
        axes.text(-1, y, f"{name}  {len(tokens)}", ha="right", va="center", color=INK, fontsize=9)
        _draw_row(axes, y, tokens)
    axes.set(xlim=(-margin, widest), ylim=(len(rows) - 0.45, -0.55))
    axes.axis("off")
    return figure


def _draw_row(axes: Axes, y: int, tokens: Sequence[str]) -> None:
    """One box a token, in two colours in turn, as wide as its characters."""
    starts = [0.0, *accumulate(len(token) + GAP for token in tokens)]
    for number, (token, start) in enumerate(zip(tokens, starts, strict=False)):
        colour, end = (BLUE, GREEN)[number % 2], start + len(token)
        corners = [start, end, end, start], [y - 0.36, y - 0.36, y + 0.36, y + 0.36]
        axes.fill(*corners, color=colour, alpha=0.2, linewidth=0)
        axes.text(
            (start + end) / 2, y, token.replace("$", r"\$"), ha="center", va="center",
            family="DejaVu Sans Mono", fontsize=8, color=INK,
        )  # fmt: skip


def draw_lattice(
    text: str, edges: Sequence[tuple[int, int, float]], best: Sequence[str], decimals: int = 2
) -> Figure:
    """Draw all pieces of a word as arcs between the places in it; the best path is emphasised.

    Args:
        text: the word.
        edges: where each piece begins and ends, and its score.
        best: the pieces of the best path.
        decimals: of the scores.

    Raises:
        ValueError: the best path does not spell the word.

    >>> edges = [(0, 1, -1.0), (1, 2, -1.0), (0, 2, -1.5)]
    >>> [label.get_text() for label in draw_lattice("ab", edges, ["ab"]).axes[0].texts]
    ['a −1.00', 'b −1.00', 'ab −1.50']
    """
    if "".join(best) != text:
        raise ValueError(f"best: expected pieces of {text!r}, got {list(best)}.")
    figure, axes = plt.subplots(figsize=(1.25 * len(text) + 0.6, 2.8))
    on_path = set(pairwise(accumulate(map(len, best), initial=0)))
    for start, end, score in sorted(edges, key=lambda edge: edge[:2] in on_path):
        label = f"{text[start:end]} {score:.{decimals}f}".replace("-", "−")
        _draw_arc(axes, (start, end), label, (start, end) in on_path)
    for place in range(len(text) + 1):
        axes.plot(place, 0, "o", color=INK, markersize=6)
    tallest = max(end - start for start, end, _ in edges)
    axes.set(xlim=(-0.3, len(text) + 0.3), ylim=(-0.2, ARC * tallest + 0.15))
    axes.axis("off")
    return figure


def _draw_arc(axes: Axes, places: tuple[int, int], label: str, chosen: bool) -> None:
    """An arc that is higher the longer its piece, its label above the top."""
    start, end = places
    top = ARC * (end - start - 0.5)
    across = np.linspace(0, 1, 41)
    axes.plot(
        start + across * (end - start), top * np.sin(np.pi * across) ** 0.7, linestyle="-",
        marker="", color=VERMILLION if chosen else MUTED, linewidth=2.8 if chosen else 1.2,
    )  # fmt: skip
    axes.text(
        (start + end) / 2, top + 0.05, label, ha="center", va="bottom",
        color=INK, fontsize=8, fontweight="bold" if chosen else "normal",
    )  # fmt: skip
