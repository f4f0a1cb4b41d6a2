import pytest

from llm_course.classroom.lesson.diagnostic import Question, diagnose

QUESTIONS = [
    Question(topic="logarithms", text="ln e?", answer=1, refresh="Read <this>."),
    Question(topic="slopes", text="Slope of 2x?", answer=2, refresh="Read that.", tolerance=0.5),
]


def test_right_wrong_and_open_are_told_apart():
    report = diagnose(QUESTIONS, {"logarithms": 1.005, "slopes": 2.6})
    assert [line[1] for line in report.lines] == ["right", "2.6 is not it"]
    assert report.lines[1][2] == "Read that." and report.lines[0][2] == ""
    report = diagnose(QUESTIONS, {"logarithms": None})
    assert [line[1] for line in report.lines] == ["open", "open"]


@pytest.mark.parametrize("given", [float("nan"), float("inf"), 1e300, -2])
def test_no_strange_number_is_right(given):
    assert "is not it" in diagnose(QUESTIONS, {"slopes": given}).lines[1][1]


def test_the_page_shows_what_stands_there_and_no_markup():
    report = diagnose(QUESTIONS, {"logarithms": 7})
    assert "Read &lt;this&gt;." in report._repr_html_()
    assert repr(report).splitlines()[0] == "logarithms: 7 is not it. Read <this>."


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(ValueError, match=r"expected some of \['logarithms', 'slopes'\], got 'sin'"):
        diagnose(QUESTIONS, {"sin": 1})
    for given in ("2", True, [2]):
        with pytest.raises(ValueError, match="expected a number, got"):
            diagnose(QUESTIONS, {"slopes": given})
