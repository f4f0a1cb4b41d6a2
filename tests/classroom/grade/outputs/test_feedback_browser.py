"""The pages in a real browser: legible on a phone and a desk, by day and by night."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from llm_course.classroom.grade.outputs.feedback import render_feedback
from llm_course.classroom.grade.outputs.items_page import render_items
from llm_course.classroom.grade.records.override import Override

pytestmark = pytest.mark.needs("chromium")

LEAST_CONTRAST = 4.5  # WCAG 2.1, criterion 1.4.3

# Every element with text of its own: its colour, what lies behind it, and its box.
TEXTS = """
() => {
  const channels = text => text.match(/[\\d.]+/g).map(Number);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const found = channels(getComputedStyle(e).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found.slice(0, 3);
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('main *:not(svg *)')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
    .filter(e => e.checkVisibility() && !e.closest('.unseen'))
    .map(e => ({
      words: e.textContent.trim().slice(0, 40),
      colour: channels(getComputedStyle(e).color).slice(0, 3),
      behind: behind(e),
      size: parseFloat(getComputedStyle(e).fontSize),
    }));
}
"""

OUTSIDE = """
() => [...document.querySelectorAll('main *')]
  .filter(e => e.checkVisibility() && !e.closest('pre, svg, .unseen, thead'))
  .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5)
  .map(e => e.tagName + ' ' + e.className)
"""


@pytest.fixture(
    params=[(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")],
    ids=lambda given: f"{given[0]}-{given[1]}",
)
def page(browser, request) -> Iterator[Page]:
    """A window; whatever it complains about or asks for fails the test."""
    width, mode = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=mode)
    context.set_default_timeout(180_000)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("console", lambda message: faults.append(message.text))
    opened.on("request", lambda asked: faults.append(asked.url))
    opened.on("dialog", lambda dialog: faults.append(dialog.message))
    yield opened
    context.close()
    assert [fault for fault in faults if not fault.startswith("file:")] == []


@pytest.fixture
def pages(made) -> dict[str, str]:
    """A sample of either page."""
    override = Override(
        student="ada",
        chapter="07_attention",
        exercise="ex-07-5-head-entropy",
        points=3.5,
        reason="Not covered in the lesson.",
    )
    feedback = render_feedback(
        "ada",
        made.sample_reports(),
        roster={"ada": "Ada Lovelace"},
        penalties={("ada", "07_attention"): 1},
        overrides=[override],
        book="https://example.org/b",
    )
    return {"feedback": feedback, "items": render_items(made.simulated())}


def shown(page: Page, tmp_path, text: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(text, encoding="utf-8")
    page.goto(path.as_uri())
    for details in page.locator("details").all():
        details.evaluate("e => { e.open = true; }")


def luminance(colour):
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["feedback", "items"])
def test_text_can_be_read(page, pages, tmp_path, name):
    shown(page, tmp_path, pages[name])
    texts = page.evaluate(TEXTS)
    assert len(texts) > 30
    low = {
        t["words"]: contrast(t["colour"], t["behind"])
        for t in texts
        if contrast(t["colour"], t["behind"]) < LEAST_CONTRAST
    }
    assert low == {}
    assert min(t["size"] for t in texts) >= 12


@pytest.mark.parametrize("name", ["feedback", "items"])
def test_nothing_is_wider_than_the_window(page, pages, tmp_path, name):
    shown(page, tmp_path, pages[name])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(OUTSIDE) == []


def test_light_and_dark_differ(browser, pages, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(pages["feedback"], encoding="utf-8")
    seen = {}
    for mode in ("light", "dark"):
        context = browser.new_context(color_scheme=mode)
        context.set_default_timeout(180_000)
        opened = context.new_page()
        opened.goto(path.as_uri())
        seen[mode] = opened.evaluate("getComputedStyle(document.body).backgroundColor")
        context.close()
    assert seen == {"light": "rgb(245, 246, 248)", "dark": "rgb(18, 22, 28)"}


def test_a_hostile_page_asks_for_nothing_and_runs_nothing(page, made, tmp_path):
    attack = (
        "<img src='https://evil.example/x.png' onerror=\"alert(1)\"><script>alert(1)</script>"
        "</style><link rel=stylesheet href='https://evil.example/x.css'>\u202e\x1b[31m"
    )
    question = made.question(
        attack,
        [made.test(attack, 0, 2, message=attack)],
        answer=attack,
        title=attack,
        link=attack,
        misconception=attack,
    )
    report = made.report(attack, [question], chapter=attack, notebook=attack)
    shown(page, tmp_path, render_feedback(attack, [report], roster={attack: attack}))
    assert page.evaluate("document.images.length + document.scripts.length") == 0
    assert page.evaluate(OUTSIDE) == []


def test_the_policy_stops_a_script_even_if_one_were_there(browser, pages, tmp_path):
    attack = "<svg onload=\"document.title='ran'\"></svg><script>document.title='ran'</script>"
    path, titles = tmp_path / "page.html", {}
    for policy in ("kept", "removed"):
        text = pages["feedback"].replace("</body>", f"{attack}</body>")
        if policy == "removed":
            text = text.replace("Content-Security-Policy", "x-nothing")
        path.write_text(text, encoding="utf-8")
        context = browser.new_context()
        context.set_default_timeout(180_000)
        opened = context.new_page()
        opened.goto(path.as_uri())
        titles[policy] = opened.title()
        context.close()
    assert titles == {"kept": "Feedback for Ada Lovelace", "removed": "ran"}
