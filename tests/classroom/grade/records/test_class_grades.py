import pytest

from llm_course.classroom.grade.marking.report import Fault
from llm_course.classroom.grade.records.class_grades import ClassGrades
from llm_course.classroom.grade.records.override import Override
from llm_course.errors import CourseError


@pytest.fixture
def points(made):
    """A report of one exercise with that many of ten points."""

    def give(student, points, chapter="07_attention", notebook="heads", **fields):
        question = made.question("ex-1", [made.test(points=points, max_points=10)])
        return made.report(student, [question], chapter, notebook, **fields)

    return give


def test_notebooks_of_a_chapter_are_summed(points):
    grades = ClassGrades([points("ada", 4), points("ada", 9, notebook="masks")])
    (total,) = grades.of("ada")
    assert (total.earned, total.points, total.max_points, total.penalty) == (13, 13, 20, 0)


def test_a_missing_notebook_still_counts_in_the_maximum(points):
    grades = ClassGrades([points("ada", 4), points("bob", 9), points("bob", 9, notebook="masks")])
    assert grades.totals["ada", "07_attention"].max_points == 20
    assert grades.max_points == {"07_attention": 20}


def test_a_penalty_never_costs_more_than_was_earned(points):
    reports = [points("ada", 4), points("bob", 4), points("cy", 0)]
    late = {(student, "07_attention"): cost for student, cost in [("ada", 1.5), ("bob", 9)]}
    grades = ClassGrades(reports, penalties=late | {("cy", "07_attention"): 2})
    totals = [grades.totals[s, "07_attention"] for s in grades.students]
    assert [(total.points, total.penalty) for total in totals] == [(2.5, 1.5), (0, 4), (0, 0)]


def test_overrides_come_before_the_penalty(points):
    set_by_hand = Override(
        student="ada", chapter="07_attention", exercise="ex-1", points=8, reason="Seen."
    )
    grades = ClassGrades([points("ada", 4)], {}, {("ada", "07_attention"): 1}, [set_by_hand])
    assert grades.of("ada")[0].points == 7


def test_of_two_reports_the_later_counts(points):
    assert ClassGrades([points("ada", 4), points("ada", 6)]).of("ada")[0].points == 6


def test_the_roster_lists_those_who_handed_in_nothing(points):
    grades = ClassGrades([points("zed", 1)], {"ada": "Ada Lovelace", "eve": ""})
    assert grades.students == ["ada", "eve", "zed"]
    assert [grades.name(s) for s in grades.students] == ["Ada Lovelace", "eve", "zed"]
    assert grades.of("ada") == []


def test_order_of_the_reports_does_not_matter(points):
    reports = [points(s, 3, chapter=c) for s in ("bob", "ada") for c in ("08_b", "07_a")]
    first, second = ClassGrades(reports), ClassGrades(reports[::-1])
    assert first.graded == second.graded
    assert (first.students, first.chapters) == (["ada", "bob"], ["07_a", "08_b"])


def test_faults_of_notebook_and_exercises_are_counted(made):
    fault = Fault(name="late", message="Late.")
    question = made.question("ex-1", faults=(fault, fault))
    assert ClassGrades([made.report("ada", [question], faults=(fault,))]).of("ada")[0].faults == 3


def test_what_the_grader_failed_to_grade_is_known(points):
    grades = ClassGrades([points("ada", 0, status="grader-fault"), points("bob", 0)])
    assert [grades.of(s)[0].to_regrade for s in grades.students] == [True, False]


@pytest.mark.parametrize("cost", [-1, float("nan"), float("inf")])
def test_a_penalty_must_be_a_number_from_zero_up(cost):
    with pytest.raises(CourseError, match="late penalty of ada in 07: expected points from 0 up"):
        ClassGrades([], penalties={("ada", "07"): cost})


def test_nothing_is_a_class_too():
    grades = ClassGrades([])
    assert (grades.students, grades.chapters, grades.totals, grades.max_points) == ([], [], {}, {})
