"""Bars: one a step, quiet where nobody looks, closed at the end."""

from contextlib import closing

from llm_course.recipes.progress import StepBars


def tell_all(bars):
    with closing(bars):
        for step, done in (("read", 0), ("read", 2), ("write", 1), ("write", 2)):
            bars.tell(step, done, 2)


def test_each_step_has_its_bar(capsys):
    tell_all(StepBars(shown=True))
    told = capsys.readouterr().err
    assert "read: 100%" in told and "write: 100%" in told and "2/2" in told


def test_nothing_is_shown_where_nobody_looks(capsys):
    tell_all(StepBars(shown=False))
    assert capsys.readouterr().err == ""
