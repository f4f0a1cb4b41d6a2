"""Figures as inline SVG that carries its own alternative text and follows the page's theme.

A figure is written into the page itself rather than linked as an image. So its alternative text
can be computed from the numbers it shows, its ink follows the page (`currentColor`), and its
palette is a set of CSS variables that a dark page lightens. A notebook opened elsewhere falls
back to the colours of the style sheet.
"""

import html
import io
import re

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from llm_course.figures.style import THEMED

SHORTEST_ALT = 40


class ShownFigure:
    """What `show` returns: HTML for a page, text for a terminal."""

    def __init__(self, svg: str, alt: str, name: str) -> None:
        self.svg, self.alt, self.name = svg, alt, name

    def _repr_html_(self) -> str:
        return f'<figure class="course-figure" id="{self.name}">{self.svg}</figure>'

    def __repr__(self) -> str:
        return f"Figure {self.name}: {self.alt}"


def show(figure: Figure, *, alt: str, name: str) -> ShownFigure:
    """Return `figure` as inline SVG and close it.

    Args:
        figure: a Matplotlib figure drawn under the course's style.
        alt: alternative text that states the finding, with its number; at least 40 characters.
        name: the figure's label in the book, such as `fig-07-weights`; unique in a notebook.

    Raises:
        ValueError: the text is too short to state a finding, or the name has other characters
            than lower-case letters, digits and hyphens.

    >>> figure, axes = plt.subplots()
    >>> shown = show(figure, alt="An empty pair of axes, as a doctest needs nothing more.",
    ...              name="fig-00-empty")
    >>> 'role="img"' in shown.svg, shown
    (True, Figure fig-00-empty: An empty pair of axes, as a doctest needs nothing more.)
    """
    if len(alt.strip()) < SHORTEST_ALT:
        raise ValueError(
            f"alt: expected a sentence of at least {SHORTEST_ALT} characters that states the "
            f"finding, got {alt!r}."
        )
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"name: expected lower-case letters, digits and '-', got {name!r}.")
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return ShownFigure(_inline(buffer.getvalue(), alt, name), alt, name)


def _inline(svg: str, alt: str, name: str) -> str:
    """The `<svg>` element alone: labelled, themed, with ids that no other figure has."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    for colour, value in THEMED.items():
        themed = "currentColor" if colour == "ink" else f"var(--course-{colour}, {value})"
        svg = svg.replace(value, themed)
    width = float(re.search(r'width="([\d.]+)pt"', svg).group(1)) * 4 / 3  # 1 pt = 4/3 CSS pixels
    opening = f'<svg role="img" aria-label="{html.escape(alt)}" style="width:{width:.0f}px"'
    svg = svg.replace("<svg", opening, 1)
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    return re.sub(r"\n\s*", "\n", svg).strip()
