import csv
import io

import pytest

from llm_course.classroom.grade.outputs import lms
from llm_course.classroom.grade.records.class_grades import ClassGrades
from llm_course.errors import CourseError

WORKSHEET = """\ufeffIdentifier,"Full name","Email address",Grade,"Maximum Grade",\
"Last modified (grade)"
"Participant 17","Ada Lovelace",ada@example.org,,100.00,"Tuesday, 3 March 2026, 10:00 AM"
"Participant 18","Bob B",bob@example.org,,100.00,-
"Participant 19","Sam Twin",sam1@example.org,,100.00,-
"Participant 20","Sam Twin",sam2@example.org,,100.00,-
"""

GRADEBOOK = """Student,ID,SIS User ID,SIS Login ID,Section,Attention (1234)
    Points Possible,,,,,10
"Lovelace, Ada",101,s-1,ada@example.org,Group A,
"B, Bob",102,bob,b.b,Group B,
"""


@pytest.fixture
def grades(made):
    def report(student, points, **fields):
        question = made.question("ex-1", [made.test(points=points, max_points=10)])
        return made.report(student, [question], **fields)

    return ClassGrades(
        [report("ada", 7.5), report("bob", 4), report("cy", 0, status="grader-fault")],
        {"ada": "Ada Lovelace", "dee": "Dee", "twin": "Sam Twin"},
        {("bob", "07_attention"): 1},
    )


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_moodle_has_the_columns_that_its_import_reads(grades):
    assert lms.moodle(grades, "07_attention").splitlines()[0] == (
        "Identifier,Full name,Grade,Maximum Grade,Feedback comments,Last modified (grade)"
    )


def test_moodle_grades_and_comments(grades):
    found = {row["Identifier"]: row for row in rows(lms.moodle(grades, "07_attention"))}
    assert {name: row["Grade"] for name, row in found.items()} == {
        "ada": "7.5",
        "bob": "3",
        "cy": "",
        "dee": "",
        "twin": "",
    }
    assert {row["Maximum Grade"] for row in found.values()} == {"10"}
    assert found["ada"]["Full name"] == "Ada Lovelace"
    assert found["ada"]["Feedback comments"] == "ex-1: 7.5 of 10"
    assert found["bob"]["Feedback comments"] == "ex-1: 4 of 10; handed in late: -1"
    assert "graded again" in found["cy"]["Feedback comments"]
    assert found["dee"]["Feedback comments"] == ""


def test_moodle_takes_its_own_identifiers_over(grades):
    ada, bob, cy, dee, twin = rows(lms.moodle(grades, "07_attention", WORKSHEET))
    assert ada["Identifier"] == "Participant 17"
    assert ada["Last modified (grade)"] == "Tuesday, 3 March 2026, 10:00 AM"
    assert (bob["Identifier"], bob["Full name"]) == ("Participant 18", "Bob B")
    assert [row["Identifier"] for row in (cy, dee)] == ["cy", "dee"]
    assert twin["Identifier"] == "twin", "two students have that name: neither may get the grade"


def test_canvas_has_its_heading_and_points_possible(grades):
    text = lms.canvas(grades, {"07_attention": "Attention (1234)", "08_blocks": "Blocks"})
    first, second, ada, bob, *_ = list(csv.reader(io.StringIO(text)))
    assert first == [
        "Student",
        "ID",
        "SIS User ID",
        "SIS Login ID",
        "Section",
        "Attention (1234)",
        "Blocks",
    ]
    assert second == ["    Points Possible", "", "", "", "", "10", "0"]
    assert ada == ["Ada Lovelace", "", "", "ada", "", "7.5", ""]
    assert bob == ["bob", "", "", "bob", "", "3", ""]


def test_canvas_takes_its_own_identifiers_over(grades):
    text = lms.canvas(grades, {"07_attention": "Attention (1234)"}, GRADEBOOK)
    ada, bob = rows(text)[1:3]
    assert (ada["Student"], ada["ID"], ada["Section"]) == ("Lovelace, Ada", "101", "Group A")
    assert (bob["ID"], bob["SIS User ID"], bob["SIS Login ID"]) == ("102", "bob", "b.b")


@pytest.mark.parametrize(
    ("exported", "left"), [(WORKSHEET, ["cy", "dee", "twin"]), (GRADEBOOK, ["cy", "dee", "twin"])]
)
def test_students_that_the_system_does_not_know_are_named(grades, exported, left):
    assert lms.unmatched(grades, exported) == left


def test_an_id_counts_more_than_a_name(made):
    # Mallory calls herself like Ada's login.
    worksheet = (
        "Identifier,Full name,Username\nParticipant 1,ada,mallory\nParticipant 2,Ada L,ada\n"
    )
    grades = ClassGrades([made.report("ada", [made.question()])])
    assert rows(lms.moodle(grades, "07_attention", worksheet))[0]["Identifier"] == "Participant 2"


@pytest.mark.parametrize("text", ["name,points\na,1\n", "\x00", "one line"])
def test_another_file_is_refused(grades, text):
    with pytest.raises(CourseError, match="expected a column Identifier or ID"):
        lms.moodle(grades, "07_attention", text)


@pytest.mark.parametrize("name", ["=1+1", "@x", "two\nlines", 'a "b", c', "\u202ex\x00\ud800"])
def test_names_are_guarded_and_quoted(made, name):
    grades = ClassGrades([made.report(name, [made.question(name)])], {name: name})
    for text in (lms.moodle(grades, "07_attention"), lms.canvas(grades, {"07_attention": "A"})):
        text.encode()
        row = rows(text)[-1]
        assert len(row) == 6 and None not in row
        assert not any(cell.startswith(("=", "@")) for cell in row.values())


def test_a_chapter_that_nobody_handed_in(grades):
    found = rows(lms.moodle(grades, "12_alignment"))
    assert {(row["Grade"], row["Maximum Grade"]) for row in found} == {("", "0")}
