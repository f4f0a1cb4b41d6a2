"""The chapters of a course in their order, and arcs from each to those that build on it."""

from collections.abc import Mapping, Sequence

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from llm_course.figures.style import BLUE, INK, MUTED


def draw_dependency_map(needs: Mapping[str, Sequence[str]], names: Mapping[str, str]) -> Figure:
    """Draw what depends on what; an arc goes from a chapter to a later one that needs it.

    Args:
        needs: for every chapter, in order, the earlier ones that it builds on.
        names: what each is called.

    Raises:
        ValueError: a chapter needs one that is not earlier.

    >>> figure = draw_dependency_map({"a": [], "b": ["a"]}, {"a": "first", "b": "second"})
    >>> len(figure.axes[0].patches)
    1
    """
    place = {chapter: -row for row, chapter in enumerate(needs)}
    figure, axes = plt.subplots(figsize=(6.4, 0.36 * len(place) + 0.4))
    for chapter, needed in needs.items():
        quiet = not needed and not any(chapter in others for others in needs.values())
        axes.plot(0, place[chapter], "o", color=MUTED if quiet else BLUE, markersize=6)
        axes.annotate(names[chapter], (0, place[chapter]), (-12, 0), va="center", ha="right",
                      color=INK, textcoords="offset points")  # fmt: skip
        for earlier in needed:
            if place.get(earlier, place[chapter]) <= place[chapter]:
                raise ValueError(f"{chapter}: expected earlier chapters, got {earlier}.")
            axes.add_patch(
                FancyArrowPatch(
                    (0, place[earlier]),
                    (0, place[chapter]),
                    connectionstyle="arc3,rad=-0.5",
                    arrowstyle="-|>",
                    mutation_scale=9,
                    shrinkA=4,
                    shrinkB=5,
                    color=BLUE,
                    alpha=0.8,
                )
            )
    axes.set(xlim=(-4.2, 3.4), ylim=(min(place.values()) - 0.6, 0.6))
    axes.axis("off")
    return figure
