"""The flow figure: heights are shares, every stage and reason is written, nonsense is refused."""

import pytest
from matplotlib import pyplot as plt

from llm_course.figures.flow import FlowStage, draw_flow
from llm_course.figures.style import INK


def stage(name, before, after, **removed):
    return FlowStage(name=name, before=before, after=after, removed=removed)


def written(figure):
    return "\n".join(text.get_text() for text in figure.axes[0].texts)


def test_heights_are_shares_of_what_came_first():
    figure = draw_flow([stage("one", 200, 150, a=1), stage("two", 150, 50, b=1)], "bytes")
    bars = [patch for patch in figure.axes[0].patches if patch.get_facecolor()[:3] == ink()]
    heights = [float(bar.get_xy()[:, 1].max() - bar.get_xy()[:, 1].min()) for bar in bars]
    assert heights == pytest.approx([1.0, 0.75])
    plt.close(figure)


def ink():
    from matplotlib.colors import to_rgb

    return to_rgb(INK)


def test_stages_losses_and_the_commonest_reasons_are_written():
    reasons = {"few": 1, "most": 9, "more": 5, "rare": 2}
    figure = draw_flow([stage("rules", 1_000_000, 750_000, **reasons)], "bytes")
    told = written(figure)
    for text in ("rules", "1 M\nbytes", "750 k\n75%", "−25.0%\nmost\nmore\nrare\n…"):
        assert text in told
    assert "few" not in told
    plt.close(figure)


def test_a_stage_that_removes_nothing_has_no_ribbon():
    figure = draw_flow([stage("none", 10, 10)], "bytes")
    assert len(figure.axes[0].collections) == 0 and "%" in written(figure)
    plt.close(figure)


@pytest.mark.parametrize(
    "stages", [[], [stage("a", 0, 0)], [stage("a", 5, 6)], [stage("a", 5, -1)]]
)
def test_flows_that_are_none(stages):
    with pytest.raises(ValueError, match="expected"):
        draw_flow(stages, "bytes")
    plt.close("all")
