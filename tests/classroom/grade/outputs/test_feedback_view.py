import dataclasses

import pytest

from llm_course.classroom.grade.marking.report import Fault, Output
from llm_course.classroom.grade.outputs.feedback import STEPS
from llm_course.classroom.grade.outputs.feedback_view import Limits, expected_size, view
from llm_course.classroom.grade.records.class_grades import ClassGrades


def shown(reports, limits=None, book=""):
    return view("ada", ClassGrades(reports), limits or Limits(), book, {})


def test_what_is_beyond_a_limit_is_counted(made):
    question = made.question(
        tests=[made.test(f"t{n}") for n in range(5)],
        faults=[Fault(name=f"f{n}", message="") for n in range(4)],
    )
    report = made.report(
        "ada",
        [question] * 6,
        faults=tuple(Fault(name=f"f{n}", message="") for n in range(9)),
        outputs=tuple(Output(cell=str(n), text="x") for n in range(8)),
    )
    values = shown(
        [report, dataclasses.replace(report, notebook="second")],
        Limits(questions=4, tests=2, faults=3, outputs=7, reports=1),
    )
    (notebook,) = values["notebooks"]
    assert values["reports_left_out"] == 1
    assert (len(notebook["questions"]), notebook["questions_left_out"]) == (4, 2)
    assert (len(notebook["faults"]), notebook["faults_left_out"]) == (3, 6)
    assert (len(notebook["outputs"]), notebook["outputs_left_out"]) == (7, 1)
    first = notebook["questions"][0]
    assert (len(first["tests"]), first["tests_left_out"]) == (2, 3)
    assert (len(first["faults"]), first["faults_left_out"]) == (3, 1)


def test_the_limit_of_exercises_is_for_the_whole_page(made):
    reports = [made.report("ada", [made.question()] * 3, notebook=f"n{n}") for n in range(3)]
    values = shown(reports, Limits(questions=5))
    assert [len(n["questions"]) for n in values["notebooks"]] == [3, 2, 0]
    assert [n["questions_left_out"] for n in values["notebooks"]] == [0, 1, 3]


@pytest.mark.parametrize(
    ("limits", "solved", "failed"),
    [
        (Limits(), True, True),
        (Limits(solved_code=False), False, True),
        (Limits(code=0), False, False),
    ],
)
def test_which_code_is_shown(made, limits, solved, failed):
    questions = [
        made.question("ex-1", answer="def f(): ..."),
        made.question("ex-2", [made.test(points=0)], answer="def g(): ..."),
    ]
    found = shown([made.report("ada", questions)], limits)["notebooks"][0]["questions"]
    assert [bool(question["code"]) for question in found] == [solved, failed]


def test_an_answer_of_blanks_is_no_code(made):
    report = made.report("ada", [made.question(answer=" \n\t\n")])
    assert shown([report])["notebooks"][0]["questions"][0]["code"] == ""


def test_indentation_of_the_first_line_is_kept(made):
    report = made.report("ada", [made.question(answer="\n    x = y\n")])
    assert shown([report])["notebooks"][0]["questions"][0]["code"] == "    x = y"


@pytest.mark.parametrize(("points", "share"), [(0, 0), (5, 50), (10, 100), (12, 100)])
def test_the_bar_never_leaves_its_frame(made, points, share):
    report = made.report("ada", [made.question(tests=[made.test("t", points, 10)])])
    assert shown([report])["share"] == share


def test_no_points_to_be_had_is_no_error(made):
    assert shown([made.report("ada")])["share"] == 0


def test_every_step_shows_less_than_the_one_before(made):
    report = made.report(
        "ada",
        [made.question(answer="x" * 9000, faults=[Fault(name="f", message="m" * 9000)] * 50)] * 300,
    )
    sizes = [expected_size([report] * 100, limits) for limits in STEPS]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == len(sizes)


def test_expected_size_counts_what_is_shown(made):
    report = made.report(
        "ada",
        [made.question(tests=[made.test(message="m" * 10)], answer="c" * 100)] * 2,
        outputs=(Output(cell="c", text="o" * 50),),
        faults=(Fault(name="f", message="f" * 7),),
    )
    assert expected_size([report], Limits()) == 2 * (10 + 200) + 50 + 7
    assert expected_size([report], Limits(code=30, questions=1, outputs=0, faults=0)) == 10 + 60
