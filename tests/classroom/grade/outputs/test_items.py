import numpy as np
import pytest

from llm_course.classroom.grade.marking.report import Fault
from llm_course.classroom.grade.outputs.items import analyse, point_biserial
from llm_course.classroom.grade.records.override import Override, apply


@pytest.fixture
def answered(made):
    """A report with one test an exercise, from the points of each (out of 2)."""

    def give(student, *points, **fields):
        questions = [
            made.question(f"ex-{n}", [made.test(f"test-{n}", p, 2)], title=f"Exercise {n}")
            for n, p in enumerate(points, 1)
        ]
        return made.report(student, questions, **fields)

    return give


@pytest.fixture
def small(answered):
    """Four students and three exercises, small enough for arithmetic by hand."""
    return [
        answered("a", 2, 2, 2),
        answered("b", 2, 2, 0),
        answered("c", 2, 1, 0),
        answered("d", 2, 0, 2),
    ]


def test_rates_and_means(small):
    items = analyse(small).items
    assert [(i.grade_id, i.solved, i.n, i.mean_points) for i in items] == [
        ("ex-1", 4, 4, 2.0),
        ("ex-2", 2, 4, 1.25),
        ("ex-3", 2, 4, 1.0),
    ]
    assert [item.rate for item in items] == [1.0, 0.5, 0.5]


def test_intervals_are_wilsons(small):
    first, second, _ = analyse(small).items
    # 4 of 4: n / (n + z²) with z = 1.959964; 2 of 4: symmetric about one half.
    assert first.interval == (pytest.approx(4 / (4 + 1.959964**2)), pytest.approx(1.0))
    assert second.interval == (pytest.approx(0.150039, abs=1e-6), pytest.approx(0.849961, abs=1e-6))


def test_discrimination_is_with_the_points_of_all_other_exercises(small):
    first, second, third = analyse(small).items
    assert (first.discrimination, first.undefined) == (None, "everybody solved it")
    # ex-2 solved by a, b: the others give 4, 2, 2, 4 (a, b, c, d), so no relation.
    assert second.discrimination == pytest.approx(0.0)
    # ex-3 solved by a, d: the others give 4, 4, 3, 2; means 3 and 3.5, deviation sqrt(11)/4.
    assert third.discrimination == pytest.approx(-0.5 / (11**0.5 / 4) * 0.5)


def test_point_biserial_is_pearsons_correlation():
    generator = np.random.default_rng(3)
    for n in (2, 5, 60):
        solved = [True, False, *(generator.random(n) < 0.4)]
        scores = generator.normal(size=n + 2)
        expected = np.corrcoef(np.array(solved, float), scores)[0, 1]
        assert point_biserial(solved, list(scores)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("solved", "scores"),
    [
        ([True], [1.0]),
        ([True, True], [1.0, 2.0]),
        ([False, False], [1.0, 2.0]),
        ([True, False], [0.1 + 0.2, 0.3]),
    ],
)
def test_point_biserial_is_undefined_where_nothing_varies(solved, scores):
    assert point_biserial(solved, scores) is None


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([(2, 1)], "one answer only"),
        ([(2, 1), (2, 0)], "everybody solved it"),
        ([(0, 1), (1, 0)], "nobody solved it"),
        ([(2,), (0,)], "no other points"),
        ([(2, 1), (0, 1)], "all have the same other points"),
    ],
)
def test_why_there_is_no_discrimination(answered, points, reason):
    reports = [answered(f"s{n}", *given) for n, given in enumerate(points)]
    assert analyse(reports).items[0].undefined == reason


def test_other_notebooks_are_part_of_the_rest(answered):
    reports = [
        answered("a", 2),
        answered("a", 2, notebook="z"),
        answered("b", 0),
        answered("b", 0, notebook="z"),
    ]
    assert analyse(reports).items[0].discrimination == pytest.approx(1.0)


def test_totals_are_shares_of_what_could_be_had(small, answered):
    assert analyse(small).shares == (0.5, pytest.approx(2 / 3), pytest.approx(2 / 3), 1.0)
    assert analyse([answered("a", 1), answered("a", 2, notebook="z")]).shares == (0.75,)


def test_misconceptions_and_faults_are_counted(made):
    def report(student, name, faults=(), more=()):
        text = f"About {name}." if name else ""
        question = made.question("ex-1", misconception=text, misconception_name=name, faults=more)
        return made.report(student, [question], faults=faults)

    late, slow = Fault(name="late", message="Late."), Fault(name="slow", message="Slow.")
    analysis = analyse(
        [
            report("a", "no_scale", (late, late)),
            report("b", "no_scale", (late,), (slow,)),
            report("c", "flipped"),
            report("d", "", more=(late,)),
        ]
    )
    assert analysis.items[0].misconceptions == (
        ("no_scale", "About no_scale.", 2),
        ("flipped", "About flipped.", 1),
    )
    assert analysis.faults == (("late", 3), ("slow", 1)), "in how many submissions, not how often"


def test_each_test_is_counted(made):
    def report(student, visible, hidden):
        tests = [made.test("t", visible, 1), made.test("t-hidden", hidden, 3, hidden=True)]
        return made.report(student, [made.question("ex-1", tests)])

    (item,) = analyse([report("a", 1, 0), report("b", 1, 1.5), report("c", 0, 0)]).items
    found = [(test.grade_id, test.hidden, test.n, test.passed) for test in item.tests]
    assert found == [("t", False, 3, 2), ("t-hidden", True, 3, 0)]


def test_points_set_by_hand_say_nothing_about_an_exercise(small):
    given = Override(student="d", chapter="07_attention", exercise="ex-2", points=2, reason="Ill.")
    assert analyse(apply(small, [given])) == analyse(small)


def test_what_the_grader_failed_to_grade_is_left_out(small, answered):
    failed = answered("e", 0, 0, 0, status="grader-fault")
    analysis = analyse([*small, failed])
    assert (analysis.to_regrade, analysis.submissions, analysis.students) == (1, 4, 4)
    assert analysis.items == analyse(small).items


def test_exercises_keep_the_order_of_the_notebook(made):
    names = ["ex-2", "ex-10", "ex-1"]
    empty = made.report("a", [made.question("ex-1")])
    full = made.report("b", [made.question(name) for name in names])
    assert [item.grade_id for item in analyse([empty, full]).items] == names


def test_the_order_of_reports_does_not_matter(made):
    reports = made.simulated()
    assert analyse(reports) == analyse(reports[::-1])


def test_a_class_of_nobody_and_of_one(answered):
    nothing = analyse([])
    assert (nothing.submissions, nothing.items, nothing.shares, nothing.faults) == (0, (), (), ())
    one = analyse([answered("a", 2, 1)])
    assert (one.students, one.shares) == (1, (0.75,))
    assert {item.undefined for item in one.items} == {"one answer only"}


def test_stronger_students_solve_more_in_the_simulated_class(made):
    """The simulation has a strength behind every answer, so the correlation must find it."""
    items = analyse(made.simulated(400)).items
    assert items[0].discrimination is None
    assert all(item.discrimination > 0.3 for item in items[1:])
