import csv
import io
import json

import pytest

from llm_course.classroom.grade.marking.report import Fault
from llm_course.classroom.grade.outputs import tables
from llm_course.classroom.grade.records.class_grades import ClassGrades
from llm_course.classroom.grade.records.override import Override


@pytest.fixture
def grades(made):
    tests = [
        made.test("test-1", 1, 1),
        made.test("test-1-hidden", 0.5, 3, hidden=True, message="Rows should sum to 1."),
    ]
    slow = Fault(name="cell-timeout", message="Stopped after 10 s.", cost=True)
    first = made.report(
        "ada",
        [made.question("ex-1", tests, faults=(slow, slow)), made.question("ex-2")],
        faults=(Fault(name="missing-test-cell", message="It was missing."),),
    )
    second = made.report("bob", [made.question("ex-1", [made.test(points=0, max_points=4)])])
    failed = made.report("cy", status="grader-fault")
    return ClassGrades(
        [second, failed, first],
        {"ada": "Ada Lovelace"},
        {("ada", "07_attention"): 1},
        [
            Override(
                student="bob",
                chapter="07_attention",
                exercise="ex-1",
                points=2,
                reason='She said "yes",\nand showed it.',
            )
        ],
    )


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_one_row_for_each_exercise_fault_and_penalty(grades):
    found = [tuple(row.values()) for row in rows(tables.csv_text(grades))]
    ada, bob, cy = ((s, "07_attention", "heads") for s in ("ada", "bob", "cy"))
    assert found == [
        (*ada, "(notebook)", "0", "0", "missing-test-cell", ""),
        (*ada, "ex-1", "1.5", "4", "cell-timeout", ""),
        (*ada, "ex-2", "1", "1", "", ""),
        ("ada", "07_attention", "", "(late penalty)", "-1", "0", "", ""),
        (*bob, "ex-1", "2", "4", "", 'She said "yes",\nand showed it.'),
        (*cy, "(notebook)", "", "0", "grader-fault", ""),
    ]


def test_the_heading_is_as_documented(grades):
    first = tables.csv_text(grades).splitlines()[0]
    assert first == "student,chapter,notebook,exercise,points,max_points,faults,override reason"


def test_points_of_the_rows_add_up_to_the_grade(made):
    reports = made.simulated()
    late = {(report.student, report.chapter): 1.25 for report in reports[::3]}
    grades = ClassGrades(reports, penalties=late)
    found = rows(tables.csv_text(grades))
    for student in grades.students:
        summed = sum(float(row["points"]) for row in found if row["student"] == student)
        assert summed == pytest.approx(sum(total.points for total in grades.of(student)))


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1+1", '=HYPERLINK("x","y")'],
)
def test_no_cell_starts_a_formula(made, name):
    report = made.report(name, [made.question(name)], chapter=name, notebook=name)
    text = tables.csv_text(
        ClassGrades(
            [report],
            overrides=[
                Override(student=name, chapter=name, exercise=name, points=1, reason=f"{name}.")
            ],
        )
    )
    row = rows(text)[0]
    assert row["student"].startswith("'") and row["override reason"].startswith("'")
    for cell in row.values():
        assert not cell.lstrip().startswith(tuple("=+-@＝")), cell


def test_a_loss_stays_a_number():
    assert tables.rows_as_csv([[-1.5, "-1.5", None]]) == "-1.5,'-1.5,\n"


@pytest.mark.parametrize(
    "name", ['quote "and", comma', "two\nlines", "Zoë 王 🎉", "semi;colon", "a'b", " spaces "]
)
def test_text_comes_back_as_it_was(made, name):
    text = tables.csv_text(ClassGrades([made.report(name, [made.question("ex-1")])]))
    assert rows(text)[0]["student"] == name
    assert rows(text)[0]["exercise"] == "ex-1"


@pytest.mark.parametrize("name", ["nul\x00", "\ud800", "\x1b[31mred", "\u202eadmin", "x" * 10**7])
def test_hostile_text_can_be_written_and_read(tmp_path, made, name):
    fault = Fault(name=name, message=name)
    report = made.report(name, [made.question(name, title=name, faults=(fault,))], faults=(fault,))
    csv_path, json_path = tables.write(tmp_path, ClassGrades([report]))
    text = csv_path.read_text(encoding="utf-8")
    assert len(rows(text)) == 2 and len(text) < 50_000
    assert not set("\x00\x1b\u202e") & set(text)
    assert json.loads(json_path.read_text())["students"][0]["student"] == name


def test_json_holds_tests_and_totals(grades):
    found = json.loads(tables.json_text(grades))
    assert found["max_points"] == {"07_attention": 5}
    ada, bob, cy = found["students"]
    assert (ada["name"], ada["points"], ada["max_points"]) == ("Ada Lovelace", 1.5, 5)
    (chapter,) = ada["chapters"]
    assert (chapter["points"], chapter["late_penalty"], chapter["faults"]) == (1.5, 1, 3)
    exercise = chapter["notebooks"][0]["exercises"][0]
    assert exercise["tests"][1] == {
        "grade_id": "test-1-hidden",
        "points": 0.5,
        "max_points": 3,
        "hidden": True,
        "message": "Rows should sum to 1.",
        "passed": False,
    }
    assert exercise["override_reason"] is None
    overridden = bob["chapters"][0]["notebooks"][0]["exercises"][0]
    assert overridden["override_reason"].startswith("She said")
    assert [test["grade_id"] for test in overridden["tests"]] == ["test-1"]
    assert (overridden["points"], cy["chapters"][0]["points"]) == (2, None)


def test_neither_answers_nor_outputs_are_in_the_tables(made):
    grades = ClassGrades(made.sample_reports())
    for text in (tables.csv_text(grades), tables.json_text(grades)):
        assert "masked_fill" not in text and "Epoch 1" not in text


def test_the_same_grades_give_the_same_files(made):
    reports = made.simulated()
    first, second = ClassGrades(reports), ClassGrades(reports[::-1])
    assert tables.csv_text(first) == tables.csv_text(second)
    assert tables.json_text(first) == tables.json_text(second)


def test_nothing_graded_gives_a_heading_alone(tmp_path):
    csv_path, json_path = tables.write(tmp_path / "new", ClassGrades([]))
    assert rows(csv_path.read_text()) == []
    assert json.loads(json_path.read_text()) == {"max_points": {}, "students": []}


def test_a_failed_write_leaves_the_old_file(tmp_path, grades, monkeypatch):
    tables.write(tmp_path, ClassGrades([]))
    before = (tmp_path / "grades.csv").read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(RuntimeError("killed")))
    with pytest.raises(RuntimeError, match="killed"):
        tables.write(tmp_path, grades)
    assert (tmp_path / "grades.csv").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grades.csv", "grades.json"]
