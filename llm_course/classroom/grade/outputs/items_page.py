"""The page of the item analysis: what an instructor should look at, and every number behind it."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from llm_course.classroom.grade.marking.report import Report
from llm_course.classroom.grade.outputs import html_page, plots
from llm_course.classroom.grade.outputs.items import Analysis, Item, ItemTest, analyse
from llm_course.classroom.grade.outputs.plain_text import number, one_line
from llm_course.classroom.grade.outputs.wording import title_of

FEW = 10  # answers below which a rate or a correlation says little
HARDLY, WELL = 0.2, 0.4
MOST_SHOWN, MOST_NAMED = 5, 12
TITLE = 120


def render_items(reports: Sequence[Report], *, titles: Mapping[str, str] | None = None) -> str:
    """The page, complete in itself.

    Args:
        reports: reports of a class, of one chapter or of several.
        titles: titles of notebooks by key, ``07_attention/self_attention``.
    """
    analysis = analyse(reports)
    groups = groupby(analysis.items, key=lambda item: (item.chapter, item.notebook))
    notebooks = [
        _notebook(key, list(items), place, titles or {})
        for place, (key, items) in enumerate(groups)
    ]
    return html_page.render(
        "items.html.j2",
        analysis=analysis,
        few=FEW,
        well=WELL,
        hardly=HARDLY,
        looks=_worth_a_look(analysis),
        totals=plots.totals(analysis.shares, "fig-totals") if analysis.shares else "",
        notebooks=notebooks,
        faults=[_counted(one_line(n, 60), "", c, analysis.submissions) for n, c in analysis.faults],
    )


def separates(discrimination: float) -> str:
    """A point-biserial correlation in words.

    >>> separates(0.396), separates(0.1), separates(-0.2)
    ('well', 'hardly', 'the wrong way round')
    """
    shown = round(discrimination, 2)
    if shown < 0:
        return "the wrong way round"
    return "hardly" if shown < HARDLY else "somewhat" if shown < WELL else "well"


def _notebook(
    key: tuple[str, str], items: list[Item], place: int, titles: Mapping[str, str]
) -> dict[str, Any]:
    """What the page shows of one notebook."""
    return {
        "title": one_line(titles.get("/".join(key)) or title_of(*key), TITLE),
        "figure": plots.success_rates(items, f"fig-success-{place}"),
        "items": [_row(item) for item in items],
        "misconceptions": [_mistakes(item) for item in items if item.misconceptions],
    }


def _row(item: Item) -> dict[str, str]:
    """A row of the table of exercises."""
    low, high = (f"{100 * end:.0f}" for end in item.interval)
    r = item.discrimination
    return {
        "title": one_line(item.title, TITLE),
        "optional": "optional" if item.optional else "",
        "solved": f"{item.solved} of {item.n}",
        "rate": f"{100 * item.rate:.0f} %",
        "interval": f"{low}–{high}",
        "mean": f"{number(item.mean_points)} of {number(item.max_points)}",
        "discrimination": "" if r is None else _signed(r),
        "words": item.undefined if r is None else separates(r),
    }


def _mistakes(item: Item) -> dict[str, Any]:
    """The misconceptions of an exercise, the most frequent ones."""
    shown = item.misconceptions[:MOST_SHOWN]
    return {
        "title": one_line(item.title, TITLE),
        "entries": [_counted(one_line(n, 60), one_line(t, 300), c, item.n) for n, t, c in shown],
        "left_out": len(item.misconceptions) - len(shown),
    }


def _counted(name: str, text: str, count: int, n: int) -> dict[str, Any]:
    """A name with its count, and a share for its bar."""
    return {"name": name, "text": text, "count": count, "n": n, "share": round(100 * count / n)}


def _worth_a_look(analysis: Analysis) -> list[str]:
    """What is unusual, one sentence each."""
    found = []
    tests = [(i, t) for i in analysis.items for t in i.tests if t.n > 1]
    nobody = [_test_name(item, test) for item, test in tests if test.passed == 0]
    everybody = [_test_name(item, test) for item, test in tests if test.passed == test.n]
    if nobody:
        found.append(f"Nobody passes {_listed(nobody)}. Does the test ask what the exercise asks?")
    if everybody:
        found.append(f"Everybody passes {_listed(everybody)}. That tells no two answers apart.")
    for item in analysis.items:
        r = item.discrimination
        # Below two standard errors, 1/√n each, a correlation of nothing is often negative too.
        if r is not None and item.n >= FEW and r < -2 / item.n**0.5:
            found.append(
                f"{one_line(item.title, TITLE)}: those who do well elsewhere fail here "
                f"(correlation {_signed(r)}). The text or a test may mislead."
            )
    if analysis.to_regrade:
        most = analysis.to_regrade + analysis.submissions
        found.append(
            f"The grader failed on {analysis.to_regrade} of {most} notebooks, which are not "
            "counted here. Grade them again."
        )
    return found


def _test_name(item: Item, test: ItemTest) -> str:
    """A test in a sentence."""
    kind = "hidden" if test.hidden else "visible"
    return f"the {kind} test of {one_line(item.title, TITLE)} ({one_line(test.grade_id, 80)})"


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence, the first dozen of them.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    shown = list(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        shown.append(f"{len(names) - MOST_NAMED} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _signed(value: float) -> str:
    """A correlation with a proper minus."""
    return f"{value:.2f}".replace("-", "−")
