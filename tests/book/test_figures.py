"""The figures of the built book: a text for those who cannot see them, ink for those who can."""

import io
from collections import Counter

import pytest
from PIL import Image

from llm_course.figures.style import contrast

pytestmark = [pytest.mark.book, pytest.mark.needs("chromium")]

MODES = [pytest.param((1280, mode), id=mode) for mode in ("light", "dark")]

# WCAG 2.1, criterion 1.4.3: text of ordinary size.
LEAST_CONTRAST = 4.5

# Every text of a figure, with its colour and its box inside the figure's own picture.
TEXTS = """
svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text, g[id*="text_"]')].map(text => {
    const box = text.getBoundingClientRect();
    const ink = text.querySelector('path, use, tspan') || text;
    return {
      words: text.textContent.trim() || text.id,
      colour: getComputedStyle(ink).fill,
      box: [box.x - frame.x, box.y - frame.y, box.right - frame.x, box.bottom - frame.y],
    };
  }).filter(text => text.words && text.box[2] - text.box[0] > 1 && text.box[3] - text.box[1] > 1);
}
"""


def test_every_picture_has_an_alternative_text(read, pages):
    pictures = 0
    for name in pages:
        read.open(name)
        texts = read.page.evaluate(
            "[...document.querySelectorAll('article img, figure svg')]"
            ".map(e => e.alt ?? e.getAttribute('aria-label') ?? '')"
        )
        bare = read.page.locator("article figure.course-figure > svg:not([role=img])").count()
        pictures += len(texts)
        assert bare == 0, f"{name}: a figure without a role"
        assert all(text.strip() for text in texts), f"{name}: a picture without a text: {texts}"
    assert pictures > 0, "expected the book to have figures"


@pytest.mark.parametrize("read", MODES, indirect=True)
def test_text_in_figures_can_be_read(read, pages):
    ratios = {}
    for name in pages:
        read.open(name)
        for figure in read.page.locator("figure.course-figure > svg").all():
            ratios |= {f"{name}: {text}": ratio for text, ratio in _contrasts(figure)}
    assert len(ratios) > 10, "expected the figures to hold text"
    assert {text: ratio for text, ratio in ratios.items() if ratio < LEAST_CONTRAST} == {}


def _contrasts(figure):
    """Each text of a figure, with the contrast between its ink and what lies behind it."""
    texts = figure.evaluate(TEXTS)
    picture = Image.open(io.BytesIO(figure.screenshot())).convert("RGB")
    for text in texts:
        ratio = contrast(_fraction(text["colour"]), _background(picture, text["box"]))
        yield f"{text['words']} in {text['colour']}", round(ratio, 2)


def _background(picture, box):
    """The commonest colour around a text: of a box a little larger than the text."""
    left, top, right, bottom = (round(value) for value in box)
    crop = picture.crop((max(left - 1, 0), max(top - 1, 0), right + 1, bottom + 1))
    colours = Counter(crop.get_flattened_data())
    return tuple(value / 255 for value in colours.most_common(1)[0][0])


def _fraction(colour):
    """A CSS colour, `rgb(0, 114, 178)`, as fractions of one."""
    numbers = colour[colour.index("(") + 1 : colour.index(")")].split(",")
    return tuple(float(number) / 255 for number in numbers[:3])
