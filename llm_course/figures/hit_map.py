"""How many tasks were solved, by length and depth: a heat map whose cells say it in numbers."""

from collections.abc import Mapping

from matplotlib import colormaps
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from llm_course.figures.style import MUTED, SEQUENTIAL, text_colour


def draw_hit_map(
    axes: Axes, cells: Mapping[tuple[float, float], tuple[float, float]], title: str
) -> None:
    """Draw one cell for each length and depth that was asked; the others stay empty.

    Args:
        axes: where to draw.
        cells: hits and tasks by length (columns) and depth (rows, 0 on top).
        title: what stands above.

    >>> figure, axes = plt.subplots()
    >>> draw_hit_map(axes, {(256, 0.0): (3, 4), (256, 1.0): (4, 4)}, "toy")
    >>> [text.get_text() for text in axes.texts]
    ['3/4', '4/4']
    """
    lengths, depths = (sorted({key[i] for key in cells}) for i in (0, 1))
    for (length, depth), (hits, n) in cells.items():
        x, y, share = lengths.index(length), depths.index(depth), hits / n
        face = colormaps[SEQUENTIAL](share)
        axes.add_patch(plt.Rectangle((x, y), 1, 1, facecolor=face, edgecolor=MUTED, linewidth=0.6))
        axes.text(
            x + 0.5, y + 0.5, f"{hits:.0f}/{n:.0f}", ha="center", va="center",
            color=text_colour(share),
        )  # fmt: skip
    axes.set(xlim=(0, len(lengths)), ylim=(len(depths), 0), title=title, xlabel="tokens of text")
    axes.set_xticks([i + 0.5 for i in range(len(lengths))], [f"{x:,.0f}" for x in lengths])
    axes.set_yticks([i + 0.5 for i in range(len(depths))], [f"{y:g}" for y in depths])
    axes.tick_params(length=0)
