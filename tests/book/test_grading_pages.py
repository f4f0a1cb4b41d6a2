"""A class is graded, and its feedback and item analysis are looked at in a browser.

The pictures in the instructor's page are these: the tests leave them in ``build/screenshots``, from
where they are copied to ``book/_static``.
"""

import inspect
import re
from pathlib import Path

import nbformat
import pytest

from llm_course.classroom.author.wrong_answers import wrong_answers_in
from llm_course.classroom.course import find_root
from llm_course.classroom.grade.records.class_run import grade_class, known_assignments

ROOT = find_root(Path(__file__).parent)
KEY = "07_attention/self_attention"
PICTURES = ROOT / "build" / "screenshots"

pytestmark = [
    pytest.mark.book,
    pytest.mark.slow,
    pytest.mark.needs("chromium"),
    pytest.mark.needs("bubblewrap"),
]


@pytest.fixture(scope="module")
def grades(tmp_path_factory):
    """The folder of grades of ten students, of whom some make catalogued mistakes."""
    work = tmp_path_factory.mktemp("class")
    given = known_assignments(ROOT, [KEY])[KEY][0]
    for number in range(10):
        answers = {question.grade_id: question.solution for question in given.questions}
        for place, question in enumerate(given.questions):
            mistakes = wrong_answers_in(given.wrong_answers[question.grade_id])
            if number < 2 * place - 1 or (number, place) in {(7, 1), (8, 3)}:
                mistake = mistakes[number * place % len(mistakes)]
                source = inspect.getsource(mistake.function)
                name = question.functions[0]
                answers[question.grade_id] = re.sub(rf"def {mistake.name}\b", f"def {name}", source)
        found = nbformat.from_dict(given.release.copy())
        for cell in found.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.get(name, cell.source)
        path = work / "in" / f"student-{number}" / f"{given.name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(found, path)
    grade_class(
        known_assignments(ROOT, [KEY]),
        work / "in",
        work / "grades",
        jobs=2,
        book="https://example.org/course",
    )
    return work / "grades"


@pytest.mark.parametrize(
    ("page", "picture"),
    [("feedback/student-4.html", "grading-feedback"), ("items.html", "grading-items")],
)
@pytest.mark.parametrize(("width", "scheme"), [(1000, "light"), (1000, "dark"), (390, "light")])
def test_pages_are_readable_and_quiet(browser, grades, page, picture, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown, faults = context.new_page(), []
    shown.on("console", lambda message: faults.append(message.text))
    shown.on("request", lambda request: faults.append(request.url))
    shown.goto((grades / page).as_uri())
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert shown.evaluate(overflow) <= 0, "the page scrolls sideways"
    assert shown.locator("h1").count() == 1 and shown.locator("script").count() == 0
    PICTURES.mkdir(parents=True, exist_ok=True)
    name = picture if (width, scheme) == (1000, "light") else f"{picture}-{width}-{scheme}"
    shown.screenshot(path=PICTURES / f"{name}.png")
    assert [url for url in faults if not url.startswith(("file:", "data:"))] == []
    context.close()


def test_misconceptions_are_named(grades):
    text = "".join(path.read_text() for path in (grades / "feedback").glob("*.html"))
    assert "https://example.org/course/07_attention/self_attention.html#ex-07-" in text
    assert (grades / "items.html").read_text().count("<svg") >= 2
