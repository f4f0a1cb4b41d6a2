"""Who works when: one row for each stage of a pipeline, one box for each action (a Gantt chart)."""

from collections.abc import Sequence
from typing import Protocol

from matplotlib.axes import Axes

from llm_course.figures.style import BLUE, INK, PAPER, VERMILLION

COLOURS = {"F": BLUE, "B": VERMILLION}
HEIGHTS = {"F": 0.8, "B": 0.5}


class Action(Protocol):
    """What is drawn: a pass of one micro-batch through one stage, with its times."""

    stage: int
    kind: str
    microbatch: int
    start: float
    end: float


def draw_timeline(axes: Axes, actions: Sequence[Action], *, title: str, end: float) -> None:
    """Draw the actions of all stages; empty places are where a stage waits.

    Forward passes are blue and high, backward passes vermillion and low; each says its micro-batch.

    Args:
        axes: where.
        actions: of all stages; times count from the first start.
        title: what stands above.
        end: the right edge, so that several charts share a scale.

    Raises:
        ValueError: there is no action.

    >>> from types import SimpleNamespace as A
    >>> from matplotlib import pyplot as plt
    >>> figure, axes = plt.subplots()
    >>> draw_timeline(axes, [A(stage=0, kind="F", microbatch=0, start=1, end=2)], title="", end=3)
    >>> len(axes.patches), [text.get_text() for text in axes.texts]
    (1, ['0'])
    """
    if not actions:
        raise ValueError("actions: expected at least one, got none.")
    first = min(action.start for action in actions)
    for action in actions:
        start, length = action.start - first, action.end - action.start
        axes.barh(
            action.stage, length, HEIGHTS[action.kind], left=start, color=COLOURS[action.kind],
            edgecolor=PAPER, linewidth=0.6,
        )  # fmt: skip
        axes.text(
            start + length / 2, action.stage, str(action.microbatch), ha="center", va="center",
            fontsize=7.5, color=PAPER, fontweight="bold",
        )  # fmt: skip
    n_stages = 1 + max(action.stage for action in actions)
    axes.set(xlim=(0, end), ylim=(n_stages - 0.5, -0.5), title=title)
    axes.set_yticks(range(n_stages), [f"stage {stage}" for stage in range(n_stages)])
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="both", colors=INK)
