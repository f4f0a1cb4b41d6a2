import re
from itertools import pairwise

import pytest

from llm_course.classroom.grade.marking.report import Fault
from llm_course.classroom.grade.outputs.feedback import (
    LARGEST,
    feedback_page,
    file_name,
    render_feedback,
    write_feedback,
)
from llm_course.classroom.grade.records.class_grades import ClassGrades
from llm_course.classroom.grade.records.override import Override
from llm_course.errors import CourseError

BOOK = "https://example.org/course"
REASON = "0 · log 0 was not covered in the lesson."


@pytest.fixture
def sample(made):
    return render_feedback(
        "ada",
        made.sample_reports(),
        roster={"ada": "Ada Lovelace"},
        penalties={("ada", "07_attention"): 1},
        overrides=[
            Override(
                student="ada",
                chapter="07_attention",
                exercise="ex-07-5-head-entropy",
                points=3.5,
                reason=REASON,
            )
        ],
        book=BOOK,
        titles={"07_attention/self_attention": "Self-attention from scratch"},
    )


def test_totals(sample, parsed):
    words = parsed(sample).words
    assert "Feedback for Ada Lovelace" in words
    assert "You have 8.5 of 19 points." in words
    assert "07_attention 7.5 −1 6.5 17" in words
    assert "08_blocks 2 2 2" in words
    assert "7.5 of 17 points in this notebook; being late costs 1 point in the chapter." in words


def test_every_test_has_its_mark_points_and_message(sample, parsed):
    words = parsed(sample).words
    assert (
        "✓ Visible test passed 1 of 1 ✗ Hidden test failed 0 of 3 The weights of a query" in words
    )
    assert "✗ Hidden test partly 1.5 of 3 A head that looks at one position only" in words
    assert (words.count("✓"), words.count("✗")) == (5, 4)


def test_the_misconception_is_named_and_linked(sample, parsed):
    page = parsed(sample)
    assert "a mistake that many make: the scores are not divided by the root of d_k" in page.words
    assert page.attributes("href") == [f"{BOOK}/07_attention/self_attention.html#attention-scaled"]


def test_without_the_books_address_the_section_is_named(made, parsed):
    page = parsed(render_feedback("ada", made.sample_reports()))
    assert page.attributes("href") == []
    assert "in the book: 07_attention/self_attention.html#attention-scaled" in page.words


def test_own_code_is_there_with_its_colours(sample, parsed):
    page = parsed(sample)
    assert 'scores = scores.masked_fill(~mask, float("-inf"))' in page.text
    assert '<span class="c"># no root of d_k yet</span>' in sample
    # Open where something failed, closed where all is well; the outputs are closed.
    details = [attributes for tag, attributes in page.tags if tag == "details"]
    assert ["open" in attributes for attributes in details] == [
        True,
        False,
        True,
        True,
        False,
        False,
    ]


def test_faults_are_kind_and_say_what_they_cost(sample, parsed):
    words = parsed(sample).words
    assert "so the course's own was run. It cost you no points. (missing-test-cell)" in words
    assert "It may have cost up to 6 of the 6 points. (cell-timeout)" in words
    assert sample.count('class="note miss"') == 1, "only what cost points stands out"


def test_the_override_is_shown_with_its_reason(sample, parsed):
    assert f"Set by your instructor to 3.5 points. {REASON}" in parsed(sample).words


def test_outputs_are_shown_as_text(sample, parsed):
    text = parsed(sample).text
    assert "tensor([[0.09, 0.24, 0.67],\n        [0.33, 0.33, 0.33]])" in text
    assert "cell 14" in text and "Epoch 2: loss 1.98" in text


def test_the_page_is_an_accessible_document(sample, parsed):
    page = parsed(sample)
    attributes = dict(page.tags)
    assert sample.startswith("<!DOCTYPE html>")
    assert attributes["html"]["lang"] == "en"
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert headings.count(1) == 1 and headings[0] == 1
    assert all(low - high <= 1 for high, low in pairwise(headings))
    assert {a.get("scope") for tag, a in page.tags if tag == "th"} == {"col", "row"}
    assert "caption" in attributes and "main" in attributes
    assert any(a.get("name") == "viewport" for _, a in page.tags)


def test_it_is_complete_in_itself(sample, parsed):
    page = parsed(sample)
    assert (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">"
    ) in sample
    assert page.attributes("src") == []
    assert {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags} == set()
    assert "prefers-color-scheme: dark" in sample and "color-scheme: light dark" in sample
    assert len(sample.encode()) < 25_000


def test_nobody_else_is_on_the_page(made, parsed):
    reports = [*made.sample_reports(), made.report("bob", [made.question("ex-b", answer="bobs")])]
    page = render_feedback("ada", reports, roster={"bob": "Bob Secret"})
    assert "bob" not in page.lower()


def test_a_notebook_that_others_handed_in_counts_in_the_maximum(made, parsed):
    reports = [
        made.report("ada", [made.question()]),
        made.report(
            "bob", [made.question(tests=[made.test(points=3, max_points=3)])], notebook="masks"
        ),
    ]
    assert "You have 1 of 4 points." in parsed(render_feedback("ada", reports)).words


def test_what_the_grader_failed_to_grade_costs_nothing(made, parsed):
    report = made.report(
        "ada",
        [made.question(tests=[made.test(points=0, max_points=4)])],
        status="grader-fault",
        faults=(Fault(name="kernel-lost", message="The test kernel ended.", blame="grader"),),
    )
    words = parsed(render_feedback("ada", [report])).words
    assert "You have no points yet, because the grading itself failed." in words
    assert "This was our fault, not yours" in words and "to be graded again" in words
    assert "You have 0" not in words


def test_somebody_without_a_notebook_is_told_so(parsed):
    words = parsed(render_feedback("dee", [], roster={"dee": "Dee"})).words
    assert "Feedback for Dee" in words and "We have no notebook from you yet." in words


def test_tests_of_one_kind_are_told_apart_by_their_ids(made, parsed):
    tests = [made.test("test-a"), made.test("test-b"), made.test("test-h", hidden=True)]
    words = parsed(render_feedback("ada", [made.report("ada", [made.question(tests=tests)])])).words
    assert "Visible test test-a passed" in words and "Visible test test-b passed" in words
    assert "Hidden test passed" in words


def test_the_same_reports_give_the_same_page(made):
    reports = made.sample_reports()
    assert render_feedback("ada", reports) == render_feedback("ada", reports[::-1])
    assert render_feedback("ada", reports) == feedback_page("ada", ClassGrades(reports))


@pytest.mark.parametrize("book", ["javascript:alert(1)", "example.org", "//x", "https://a b"])
def test_the_book_must_have_a_web_address(made, book):
    with pytest.raises(CourseError, match="book: expected an address such as https://"):
        render_feedback("ada", made.sample_reports(), book=book)


def test_a_whole_course_keeps_the_code_that_failed(made, parsed):
    code = "\n".join(f"    value_{n} = compute(value_{n}, {n})" for n in range(70))
    solved = made.question("ex-1", answer=f"def solved():\n{code}")
    failed = made.question(
        "ex-2", [made.test(points=0, message="Wrong.")], answer=f"def failed():\n{code}"
    )
    reports = [
        made.report("ada", [solved, failed] * 2, chapter=f"{number:02d}_x") for number in range(20)
    ]
    page = render_feedback("ada", reports)
    assert len(page.encode()) <= LARGEST
    text = parsed(page).text
    assert text.count("def failed():") == 40 and "def solved():" not in text
    assert "not all of your code is shown" in text


@pytest.mark.parametrize(
    "student",
    [
        "../../etc/passwd",
        "a/b",
        "",
        ".",
        "..",
        "con\x00",
        "\ud800",
        "Ada",
        "x" * 500,
        "<b>",
        "ada-60088279",
    ],
)
def test_a_file_name_stays_in_its_folder_and_is_nobody_elses(tmp_path, student):
    path = write_feedback(tmp_path / "feedback", student, "page")
    assert path.parent == tmp_path / "feedback" and path.read_text() == "page"
    assert re.fullmatch(r"[A-Za-z0-9_@][A-Za-z0-9._@-]*-[0-9a-f]{8}\.html", path.name)
    others = [f"{student}x", student.replace("/", "-"), "../ada", student.lower() + " "]
    assert all(file_name(other) != path.name for other in others if other != student)


def test_an_ordinary_id_is_its_file_name():
    assert file_name("s123.456@uni") == "s123.456@uni.html"
