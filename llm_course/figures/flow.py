"""What a chain of stages lets through: a band that narrows from left to right (a Sankey diagram).

The band's height is what goes on; what a stage removes leaves it downwards, as wide as it is much,
and says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from llm_course.figures.style import BLUE, INK, VERMILLION

STEP, BAR, REASONS = 1.0, 0.16, 3
END = -0.06
"""Where what leaves ends, below the band, which is 1 high."""
THINNEST = 0.006


@dataclass(frozen=True, kw_only=True)
class FlowStage:
    """One stage of a flow.

    Args:
        name: what stands above it.
        before: how much came.
        after: how much went on.
        removed: how much of what is gone is due to each reason, in any unit.
    """

    name: str
    before: float
    after: float
    removed: Mapping[str, float]


def draw_flow(stages: Sequence[FlowStage], unit: str) -> Figure:
    """Draw stages from left to right.

    Args:
        stages: in order; each begins with what the one before it let through.
        unit: of the amounts, written once.

    Raises:
        ValueError: there is no stage, or one lets through more than came.

    >>> stages = [FlowStage(name="rules", before=10, after=7, removed={"too short": 3})]
    >>> len(draw_flow(stages, "MB").axes)
    1
    """
    if not stages or stages[0].before <= 0:
        raise ValueError("stages: expected at least one, with something that comes, got none.")
    for stage in stages:
        if not 0 <= stage.after <= stage.before:
            raise ValueError(
                f"stage {stage.name}: expected 0 to {stage.before} after it, got {stage.after}."
            )
    whole = stages[0].before
    figure, axis = plt.subplots(figsize=(1.5 * len(stages) + 1.6, 4.2), layout="constrained")
    for number, stage in enumerate(stages):
        _draw_stage(axis, number * STEP, stage, whole)
    _write(axis, -0.08, 0.5, f"{_short(whole)}\n{unit}", ha="right", weight="bold")
    last = stages[-1].after
    end = len(stages) * STEP
    text = f"{_short(last)}\n{last / whole:.0%}"
    _write(axis, end + 0.06, 1 - last / whole / 2, text, ha="left", weight="bold")
    deepest = max((stage.before - stage.after) / whole for stage in stages)
    axis.set(xlim=(-0.6, end + 0.5), ylim=(END - deepest - 0.45, 1.2))
    axis.axis("off")
    return figure


def _draw_stage(axis: Axes, x: float, stage: FlowStage, whole: float) -> None:
    """The bar of a stage, the band behind it, and what leaves it."""
    before, after = stage.before / whole, stage.after / whole
    axis.fill([x, x + BAR, x + BAR, x], [1, 1, 1 - before, 1 - before], color=INK, linewidth=0)
    axis.fill(
        [x + BAR, x + STEP, x + STEP, x + BAR], [1, 1, 1 - after, 1 - after],
        color=BLUE, alpha=0.45, linewidth=0,
    )  # fmt: skip
    _write(axis, x + BAR / 2, 1.03, stage.name, va="bottom")
    if before > after:
        _draw_leaving(axis, x + BAR, 1 - after, before - after)
        reasons = sorted(stage.removed.items(), key=lambda item: (-item[1], item[0]))
        share = (before - after) / before
        lines = [f"−{share:.1%}" if share >= 0.001 else "less than 0.1%"]
        lines += [reason for reason, _ in reasons[:REASONS]]
        lines += ["…"] if len(reasons) > REASONS else []
        _write(
            axis,
            x + BAR + 0.02,
            END - (before - after) - 0.04,
            "\n".join(lines),
            va="top",
            ha="left",
            size=7.5,
        )


def _draw_leaving(axis: Axes, x: float, top: float, height: float) -> None:
    """A ribbon that bends down from the band, as high as what leaves is much."""
    ease = (1 - np.cos(np.linspace(0, np.pi, 40))) / 2
    upper = top + (END - top) * ease
    across = x + np.linspace(0, 0.6, 40)
    thin = max(height, THINNEST)
    axis.fill_between(across, upper, upper - thin, color=VERMILLION, alpha=0.55, linewidth=0)


def _write(
    axis: Axes, x: float, y: float, text: str, *, ha: str = "center", va: str = "center",
    size: float = 8.5, weight: str = "normal",
) -> None:  # fmt: skip
    axis.text(x, y, text, ha=ha, va=va, fontsize=size, fontweight=weight, color=INK)


def _short(number: float) -> str:
    """A number with three digits.

    >>> _short(12_345_678), _short(950), _short(2_000)
    ('12.3 M', '950', '2 k')
    """
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"
