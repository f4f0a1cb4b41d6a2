"""Loss against the length of the context, one curve a method, with its seeds behind it."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from llm_course.figures.style import BLUE, GREEN, INK, PURPLE, VERMILLION, label_line

_LOOKS = (
    (INK, "^:"), (VERMILLION, "s--"), (PURPLE, "v--"), (GREEN, "D-."), (BLUE, "o-"), (INK, "P-"),
)  # fmt: skip
_APART = 0.06  # of the range of the losses: labels of lines that end together keep this distance


def draw_extrapolation(
    context: Sequence[int], losses: Mapping[str, Sequence[Sequence[float]]]
) -> Figure:
    """Draw one curve a method, the mean over its seeds, and every seed as a thin line.

    Args:
        context: the lengths; the first is the trained one.
        losses: for each method one row a seed, one loss a length.

    Raises:
        ValueError: there are more methods than looks to tell them apart.

    >>> figure = draw_extrapolation([32, 64], {"alibi": [[2.5, 2.5], [2.6, 2.6]]})
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['alibi']
    """
    if len(losses) > len(_LOOKS):
        raise ValueError(f"losses: expected at most {len(_LOOKS)} methods, got {len(losses)}.")
    figure, axes = plt.subplots(figsize=(7.4, 3.8))
    means = {name: [fmean(x) for x in zip(*rows, strict=True)] for name, rows in losses.items()}
    every = [loss for rows in losses.values() for row in rows for loss in row]
    gap = _APART * max(max(every) - min(every), 1e-9)
    looks = dict(zip(losses, _LOOKS, strict=False))
    height = min(every) - gap
    for name in sorted(means, key=lambda name: means[name][-1]):
        colour, mark = looks[name]
        for row in losses[name]:
            axes.plot(context, row, "-", color=colour, linewidth=0.5, alpha=0.5, marker="")
        axes.plot(context, means[name], mark, color=colour)
        height = max(means[name][-1], height + gap)
        label_line(axes, context[-1], height, name, colour)
    axes.set(
        xscale="log", xlabel="bytes of context", ylabel="nats a byte",
        xlim=(context[0] * 0.92, context[-1] * 1.4),
    )  # fmt: skip
    axes.set_xticks(context, context)
    axes.minorticks_off()
    return figure
