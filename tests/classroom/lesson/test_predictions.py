"""The record of a reader's guesses: what is kept, what is shown, what is refused."""

import math

import pytest

from llm_course.classroom.lesson.predictions import Predictions


def test_a_measured_value_on_the_edge_counts_as_inside():
    guesses = Predictions()
    guesses.write("edge", "?", low=1, high=2)
    assert "inside" in repr(guesses.reveal("edge", 2.0))


def test_an_open_question_runs_on_and_is_not_counted():
    guesses = Predictions()
    assert "write low and high" in repr(guesses.write("open", "How many?"))
    assert repr(guesses.reveal("open", 3)) == "Measured: 3."
    assert "asks 1 questions, and no guess was written" in repr(guesses.summary())


def test_summary_counts_hits_over_judged_guesses():
    guesses = Predictions()
    for name, low, high in (("a", 0, 1), ("b", 5, 6), ("c", 0, 9)):
        guesses.write(name, "?", low=low, high=high)
    guesses.reveal("a", 0.5)
    guesses.reveal("b", 7)
    assert repr(guesses.summary()).startswith("1 of 2 measured")


@pytest.mark.parametrize(
    ("low", "high"), [(1, None), (None, 1), (2, 1), (math.nan, 1), (0, math.inf)]
)
def test_half_open_reversed_and_non_finite_intervals_are_refused(low, high):
    with pytest.raises(ValueError, match="expected"):
        Predictions().write("bad", "?", low=low, high=high)


def test_unknown_name_lists_the_known_ones():
    guesses = Predictions()
    guesses.write("known", "?")
    with pytest.raises(KeyError, match="known"):
        guesses.reveal("unknown", 1)


def test_html_is_escaped():
    box = Predictions().write("x", "<script>alert(1)</script>")
    assert "<script>" not in box._repr_html_()
