import re

import pytest

from llm_course.classroom.grade.marking.report import Fault
from llm_course.classroom.grade.outputs.items_page import render_items


@pytest.fixture
def simple(made):
    """Ten students: everybody passes the first test, nobody the second; the third misleads."""
    reports = []
    for n in range(10):
        strong = n < 6
        questions = [
            made.question("ex-1", [made.test("t1", 1, 1)], title="First"),
            made.question("ex-2", [made.test("t2", 0, 2, hidden=True)], title="Second"),
            made.question("ex-3", [made.test("t3", 0 if strong else 1, 1)], title="Third"),
            made.question("ex-4", [made.test("t4", 3 * strong, 3)], title="Fourth"),
        ]
        reports.append(made.report(f"student{n}", questions))
    return reports


def table(page, parsed):
    """The rows of the table of exercises, by title."""
    rows = re.findall(r'<tr role="row">\s*<th scope="row".*?</tr>', page, re.S)
    texts = [parsed(row).words for row in rows]
    return {text.split()[0]: text for text in texts}


def test_every_number_of_an_exercise(simple, parsed):
    rows = table(render_items(simple), parsed)
    assert rows["First"] == "First 10 of 10 100 % (72–100) 1 of 1 everybody solved it"
    assert rows["Second"] == "Second 0 of 10 0 % (0–28) 0 of 2 nobody solved it"
    assert rows["Third"] == "Third 4 of 10 40 % (17–69) 0.4 of 1 the wrong way round (−1.00)"
    assert rows["Fourth"] == "Fourth 6 of 10 60 % (31–83) 1.8 of 3 the wrong way round (−1.00)"


def test_what_is_unusual_is_said_in_words(simple, parsed):
    words = parsed(render_items(simple)).words
    assert "Nobody passes the hidden test of Second (t2). Does the test ask" in words
    assert "Everybody passes the visible test of First (t1). That tells no two" in words
    assert "Third: those who do well elsewhere fail here (correlation −1.00)." in words


def test_a_class_where_nothing_is_unusual_has_nothing_to_look_at(made, parsed):
    reports = [
        made.report(
            f"s{n}",
            [
                made.question(f"ex-{i}", [made.test(f"t{i}", int(n % (i + 2) > 0))])
                for i in range(2)
            ],
        )
        for n in range(8)
    ]
    assert "Worth a look" not in parsed(render_items(reports)).words


def test_misconceptions_are_counted_for_each_exercise(made, parsed):
    words = parsed(render_items(made.simulated())).words
    start = words.index("Most frequent misconceptions")
    assert re.search(
        r"A causal mask The diagonal is hidden too, so the first position sees nothing\. "
        r"\d+ of 40 answers",
        words[start:],
    )


def test_faults_are_counted_by_name_alone(made, parsed):
    fault = Fault(name="cell-timeout", message="The cell of Ada Lovelace was stopped.", cost=True)
    reports = [made.report(s, [made.question()], faults=(fault,)) for s in ("ada", "bob")]
    page = render_items([*reports, made.report("cy", [made.question()])])
    assert "cell-timeout 2 of 3 submissions" in parsed(page).words
    assert "Lovelace" not in page


def test_nobody_is_named_and_no_answer_is_shown(made):
    reports = made.simulated()
    page = render_items([*reports, *made.sample_reports()])
    for student in {report.student for report in reports}:
        assert student not in page
    assert ">ada<" not in page and "masked_fill" not in page and "Epoch 1" not in page
    assert reports[0].submission_hash not in page


def test_no_submission_makes_a_page(parsed):
    page = parsed(render_items([]))
    assert "No submission has been graded yet" in page.words
    assert "svg" not in {tag for tag, _ in page.tags}


def test_one_submission_makes_a_page_that_says_so(made, parsed):
    words = parsed(render_items([made.report("ada", [made.question(title="Only")])])).words
    assert "1 graded notebook of 1 student, as" in words
    assert "One student: rates and correlations say little yet." in words
    assert "one answer only" in words and "Everybody passes" not in words


def test_few_students_are_warned_about_and_many_are_not(made, parsed):
    assert "Fewer than 10 students" in parsed(render_items(made.simulated(9))).words
    assert "say little yet" not in parsed(render_items(made.simulated(10))).words


def test_what_was_not_graded_is_said(simple, made, parsed):
    failed = made.report("zed", status="grader-fault")
    assert "The grader failed on 1 of 11 notebooks" in parsed(render_items([*simple, failed])).words
    assert "The grader failed on 1 of 1 notebooks" in parsed(render_items([failed])).words


def test_a_report_without_exercises_is_no_error(made, parsed):
    fault = Fault(name="unreadable-notebook", message="Not a notebook.", cost=True)
    words = parsed(render_items([made.report("ada", faults=(fault,))])).words
    assert "unreadable-notebook 1 of 1" in words


def test_chapters_have_their_own_figures(made, parsed):
    reports = [
        made.report(s, [made.question()], chapter) for s in "ab" for chapter in ("07_x", "08_y")
    ]
    text = render_items(reports, titles={"07_x/heads": "Attention"})
    page = parsed(text)
    figures = [found["id"] for tag, found in page.tags if tag == "figure"]
    assert figures == ["fig-totals", "fig-success-0", "fig-success-1"]
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    headings = re.findall(r"<h2>(.*?)</h2>", text)
    assert headings == [
        "Worth a look",
        "Totals",
        "Attention",
        "Chapter 8: heads",
        "Faults besides failed tests",
    ]


def test_many_flags_are_shortened(made, parsed):
    reports = [
        made.report(s, [made.question(f"ex-{i}", [made.test(f"t{i}")]) for i in range(40)])
        for s in ("a", "b")
    ]
    assert "and 28 more. That tells no two answers apart." in parsed(render_items(reports)).words


def test_the_page_is_an_accessible_document(made, parsed):
    page = parsed(render_items(made.simulated()))
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert headings[0] == 1 and headings.count(1) == 1 and max(headings) <= 3
    pictures = [found for tag, found in page.tags if tag == "svg"]
    assert len(pictures) == 2 and all(len(p["aria-label"]) > 60 for p in pictures)


def test_a_weak_negative_correlation_is_not_made_much_of(made, parsed):
    """Ten students, of whom the one that fails the second exercise does a little better."""
    reports = []
    for number in range(10):
        tests = {"First": number / 2, "Second": 0.0 if number == 6 else 1.0}
        questions = [
            made.question(
                grade_id=f"ex-{title}",
                title=title,
                tests=[
                    made.test(
                        grade_id=f"t-{title}",
                        points=points,
                        max_points=5 if title == "First" else 1,
                    )
                ],
            )
            for title, points in tests.items()
        ]
        reports.append(made.report(student=f"s{number}", questions=questions))
    assert "those who do well elsewhere" not in parsed(render_items(reports)).words
