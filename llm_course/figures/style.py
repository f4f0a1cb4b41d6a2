"""The palette and the style sheet that every figure of the course uses.

Lines are told apart by colour *and* by marker and dash, in the order blue, vermillion, green,
purple, black; each colour has a contrast of at least 3:1 on white. Heat maps are `cividis`,
diverging ones `PuOr`. Labels stand beside their line rather than in a legend.
"""

from importlib.resources import files

import matplotlib as mpl
from matplotlib import colormaps
from matplotlib.axes import Axes

BLUE, VERMILLION, GREEN, PURPLE, INK = "#0072b2", "#d55e00", "#008a64", "#aa4499", "#1b1b1b"
MUTED, YELLOW = "#767676", "#8a6700"
PAPER = "#fefefe"
"""Text on a patch in one of the colours: light on a light page, dark on a dark one."""

PALETTE = {"blue": BLUE, "vermillion": VERMILLION, "green": GREEN, "purple": PURPLE, "ink": INK}
"""The colours of lines, in their order."""
THEMED = PALETTE | {"muted": MUTED, "yellow": YELLOW, "paper": PAPER}
"""All that a dark page exchanges."""

SEQUENTIAL, DIVERGING = "cividis", "PuOr"


def use_style() -> None:
    """Apply the course's style sheet to every figure made after this call.

    >>> use_style()
    >>> mpl.rcParams["image.cmap"]
    'cividis'
    """
    with_sheet = files("llm_course.figures") / "course.mplstyle"
    mpl.style.use(str(with_sheet))


def luminance(colour: str | tuple[float, ...]) -> float:
    """Relative luminance of a colour, from 0 (black) to 1 (white).

    Source: W3C, Web Content Accessibility Guidelines 2.1, "relative luminance".

    >>> luminance("black"), luminance("white")
    (0.0, 1.0)
    """
    channels = mpl.colors.to_rgb(colour)
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return round(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2], 6)


def contrast(first: str | tuple[float, ...], second: str | tuple[float, ...]) -> float:
    """Contrast ratio of two colours, from 1 (equal) to 21 (black on white).

    Source: W3C, Web Content Accessibility Guidelines 2.1, "contrast ratio".

    >>> round(contrast("black", "white"), 1)
    21.0
    """
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def text_colour(share: float, colormap: str = SEQUENTIAL) -> str:
    """Black or white, whichever reads better on `colormap` at `share` (0 to 1).

    >>> text_colour(0.0), text_colour(1.0)
    ('#ffffff', '#000000')
    """
    background = colormaps[colormap](min(max(share, 0.0), 1.0))
    return max(("#ffffff", "#000000"), key=lambda text: contrast(text, background[:3]))


def label_line(axes: Axes, x: float, y: float, text: str, colour: str, **options: object) -> None:
    """Write `text` to the right of the point `(x, y)` in the colour of its line."""
    placement = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
    axes.annotate(text, (x, y), color=colour, fontweight="bold", **(placement | options))
