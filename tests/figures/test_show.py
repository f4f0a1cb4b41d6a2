"""Inline SVG: labelled, themed, reproducible, with ids of its own."""

import re
from xml.etree import ElementTree

import pytest
from matplotlib import pyplot as plt

from llm_course.figures.show import show
from llm_course.figures.style import use_style

ALT = "Loss falls from 4.0 to 1.2 within 100 steps <fast> & stays there."


def _figure(name="fig-00-line"):
    use_style()
    figure, axes = plt.subplots()
    axes.plot([0, 1], [4.0, 1.2])
    axes.set_title("a title")
    return show(figure, alt=ALT, name=name)


def test_svg_is_well_formed_and_carries_the_alternative_text():
    root = ElementTree.fromstring(_figure().svg)
    assert root.tag.endswith("svg")
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == ALT


def test_ink_and_palette_follow_the_page():
    svg = _figure().svg
    assert "currentColor" in svg and "var(--course-blue, #0072b2)" in svg
    assert "#1b1b1b" not in svg, "ink of the style sheet left in the figure"


def test_the_background_is_transparent():
    assert not re.search(r"fill: #ffffff", _figure().svg)


def test_ids_belong_to_one_figure_and_every_reference_resolves():
    first, second = _figure("fig-00-a").svg, _figure("fig-00-b").svg
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (first, second)]
    assert ids[0] and ids[1] and not ids[0] & ids[1]
    references = set(re.findall(r'(?:url\(#|href="#)([^")]+)', first))
    assert references and references <= ids[0]


def test_the_same_figure_gives_the_same_bytes():
    assert _figure().svg == _figure().svg


def test_the_figure_is_closed_so_that_it_is_not_shown_twice():
    before = plt.get_fignums()
    _figure()
    assert plt.get_fignums() == before


@pytest.mark.parametrize(
    ("alt", "name"), [("too short", "fig-00-x"), (ALT, "Fig 1"), (" " * 60, "fig-00-x"), (ALT, "")]
)
def test_short_text_and_bad_names_are_refused(alt, name):
    figure = plt.figure()
    with pytest.raises(ValueError, match="expected"):
        show(figure, alt=alt, name=name)
    plt.close(figure)
