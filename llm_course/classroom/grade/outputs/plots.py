"""The figures of the item analysis, in the course's style, as SVG inside the page."""

import warnings
from collections.abc import Sequence
from statistics import fmean

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from llm_course.classroom.grade.outputs.items import Item
from llm_course.classroom.grade.outputs.plain_text import one_line
from llm_course.figures.show import show
from llm_course.figures.style import BLUE, INK, VERMILLION, use_style

WIDTH = 4.8  # inches: the page scales a figure to its own width, from a phone to a desk
ROW = 0.56  # inches for the title of an exercise and the line below it
BINS = 10


def success_rates(items: Sequence[Item], name: str) -> Markup:
    """The share of solved answers of each exercise, with its interval.

    Args:
        items: the exercises of one notebook, at least one.
        name: the figure's name on the page, unique there.
    """
    with mpl.rc_context():
        use_style()
        figure, axes = plt.subplots(figsize=(WIDTH, 0.75 + ROW * len(items)))
        for row, item in enumerate(items):
            low, high = (100 * end for end in item.interval)
            axes.vlines(range(0, 101, 25), row - 0.14, row + 0.14, color=INK, alpha=0.25, lw=0.8)
            axes.plot([low, high], [row, row], color=BLUE, linewidth=2.4, marker="", linestyle="-")
            axes.plot(100 * item.rate, row, color=BLUE, marker="o", markersize=7.5, linestyle="")
            axes.text(0, row - 0.3, _label(item.title), va="center", ha="left")
            told = f"{100 * item.rate:.0f} %"
            axes.text(100, row - 0.3, told, va="center", ha="right", fontweight="bold")
        axes.set_yticks([])
        axes.set_ylim(len(items) - 0.6, -0.6)
        axes.set_xlim(-2, 102)
        axes.set_xticks(range(0, 101, 25))
        axes.tick_params(labelsize=10)
        axes.set_xlabel("answers with every point, per cent (line: 95 % interval)")
        axes.spines["left"].set_visible(False)
        return _shown(figure, _rates_told(items), name)


def totals(shares: Sequence[float], name: str) -> Markup:
    """How the students' totals are spread, and their mean.

    Args:
        shares: each student's share of the points, at least one.
        name: the figure's name on the page, unique there.
    """
    counts, edges = np.histogram(np.clip(shares, 0, 1), bins=BINS, range=(0, 1))
    with mpl.rc_context():
        use_style()
        figure, axes = plt.subplots(figsize=(WIDTH, 2.5))
        axes.bar(100 * edges[:-1], counts, width=100 / BINS - 1, align="edge", color=BLUE)
        average = 100 * fmean(shares)
        axes.axvline(average, color=VERMILLION, linestyle="--", marker="", zorder=0)
        axes.annotate(
            f"mean {average:.0f} %",
            (average, 1),
            xycoords=("data", "axes fraction"),
            xytext=(5 if average < 75 else -5, -2),
            textcoords="offset points",
            ha="left" if average < 75 else "right",
            va="top",
            color=VERMILLION,
            fontweight="bold",
        )
        axes.set_xlim(-1, 101)
        axes.set_xticks(range(0, 101, 20))
        axes.tick_params(labelsize=10)
        axes.set_ylim(0, 1.25 * max(counts))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        axes.set_xlabel("points, in per cent of those to be had")
        axes.set_ylabel("students")
        return _shown(figure, _totals_told(shares), name)


def _shown(figure: Figure, alt: str, name: str) -> Markup:
    """The figure as HTML; a sign that the font lacks is drawn as a box, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return Markup(show(figure, alt=alt, name=name)._repr_html_())


def _rates_told(items: Sequence[Item]) -> str:
    """The first figure in words."""
    hardest = min(items, key=lambda item: item.rate)
    easiest = max(items, key=lambda item: item.rate)
    return (
        f"Success rate of {len(items)} exercises with 95 % intervals: from "
        f"{100 * hardest.rate:.0f} % ({_plain(hardest)}) to {100 * easiest.rate:.0f} % "
        f"({_plain(easiest)}). The table below has every number."
    )


def _totals_told(shares: Sequence[float]) -> str:
    """The second figure in words."""
    return (
        f"Histogram of {len(shares)} totals in per cent: from {100 * min(shares):.0f} to "
        f"{100 * max(shares):.0f}, with a mean of {100 * fmean(shares):.0f}."
    )


def _plain(item: Item) -> str:
    """An exercise's title for a sentence."""
    return one_line(item.title, 60)


def _label(title: str) -> str:
    """A title as the label of an axis; a dollar sign starts no formula."""
    return one_line(title, 42).replace("$", r"\$")
