import pytest

from llm_course.figures.dependency_map import draw_dependency_map

NAMES = {"00": "before", "01": "first", "02": "second"}


def test_every_chapter_has_its_name_and_every_dependency_an_arc():
    figure = draw_dependency_map({"00": [], "01": ["00"], "02": ["00", "01"]}, NAMES)
    [axes] = figure.axes
    assert [text.get_text() for text in axes.texts] == list(NAMES.values())
    assert len(axes.patches) == 3


def test_nothing_depends_on_what_comes_later():
    for needs in ({"00": ["01"], "01": []}, {"00": ["00"]}, {"00": ["09"]}):
        with pytest.raises(ValueError, match="00: expected earlier chapters"):
            draw_dependency_map(needs, NAMES)
