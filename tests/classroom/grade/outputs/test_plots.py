import re

import matplotlib as mpl
import pytest

from llm_course.classroom.grade.outputs.items import analyse
from llm_course.classroom.grade.outputs.plots import success_rates, totals


@pytest.fixture
def items(made):
    return analyse(made.simulated()).items


def test_a_figure_says_what_it_shows(items):
    svg = success_rates(items, "fig-rates")
    assert 'role="img"' in svg and svg.count("<svg") == 1
    alt = re.search('aria-label="([^"]*)"', svg)[1]
    assert "6 exercises" in alt and "to 100 % (Shapes of a batch)" in alt
    hardest = min(items, key=lambda item: item.rate)
    assert f"from {100 * hardest.rate:.0f} % ({hardest.title})" in alt


def test_colours_follow_the_page(items):
    for svg in (success_rates(items, "fig-a"), totals([0.1, 0.5], "fig-b")):
        assert "var(--course-blue" in svg and "currentColor" in svg
        assert "#000000" not in svg and "#1b1b1b" not in svg


def test_one_line_for_each_exercise(items):
    counts = [success_rates(items[:n], "fig-rates").count("stroke-width: 2.4") for n in (1, 3, 6)]
    assert counts == [1, 3, 6]


def test_bars_are_as_high_as_the_counts():
    svg = totals([0.05, 0.15, 0.15, 0.95], "fig-totals")
    bars = re.findall(r'<path d="([^"]*)"[^>]*style="fill: var\(--course-blue', svg)
    assert len(bars) == 10
    corners = [[float(y) for y in re.findall(r"[ML] [\d.-]+ ([\d.-]+)", bar)] for bar in bars]
    heights = [max(ys) - min(ys) for ys in corners]
    assert heights[1] == pytest.approx(2 * heights[0], rel=1e-3)
    assert heights[9] == pytest.approx(heights[0], rel=1e-3)
    assert [round(h, 3) for h in heights[2:9]] == [0] * 7


@pytest.mark.parametrize("shares", [[0.0], [1.0], [0.5] * 300, [1.4, -0.1], [0.999999999, 1.0]])
def test_any_totals_can_be_drawn(shares):
    alt = re.search('aria-label="([^"]*)"', totals(shares, "fig-totals"))[1]
    assert alt.startswith(f"Histogram of {len(shares)} totals in per cent")


@pytest.mark.parametrize(
    "title", ["$x$ and $", "a_b^{c}", "\\frac{", "王小明", "x" * 500, "", "\n"]
)
def test_a_title_is_text_and_no_formula(made, title):
    report = made.report("a", [made.question(title=title)])
    svg = success_rates(analyse([report]).items, "fig-rates")
    assert svg.count("<svg") == 1


def test_the_style_of_other_figures_stays_as_it_was(items):
    before = dict(mpl.rcParams)
    success_rates(items, "fig-rates")
    totals([0.5], "fig-totals")
    assert dict(mpl.rcParams) == before
    assert mpl.pyplot.get_fignums() == []


def test_the_same_numbers_give_the_same_figure(items):
    assert success_rates(items, "fig-rates") == success_rates(items, "fig-rates")
