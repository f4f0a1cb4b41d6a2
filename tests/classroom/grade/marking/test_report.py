"""Reports keep their numbers through JSON."""

from llm_course.classroom.grade.marking.report import (
    Fault,
    Output,
    QuestionResult,
    Report,
    TestResult,
    from_json,
    to_json,
)


def report():
    tests = (
        TestResult(grade_id="t1", points=1, max_points=1, hidden=False),
        TestResult(grade_id="t2", points=0, max_points=3, hidden=True, message="é ≠ e"),
    )
    fault = Fault(name="cell-error", message="A cell raised.", cost=True)
    question = QuestionResult(
        grade_id="ex",
        title="T",
        optional=False,
        tests=tests,
        answer="def f(): ...",
        faults=(fault,),
    )
    return Report(
        student="ada",
        chapter="07_attention",
        notebook="self_attention",
        submission_hash="ab",
        grader_hash="cd",
        questions=(question, question),
        faults=(fault,),
        outputs=(Output(cell="ex", text="shown"),),
        seconds=1.5,
    )


def test_points_add_up():
    found = report()
    assert (found.points, found.max_points) == (2, 8)
    assert [test.passed for test in found.questions[0].tests] == [True, False]


def test_a_report_survives_json_and_its_text_is_stable():
    text = to_json(report())
    assert from_json(text) == report() and to_json(from_json(text)) == text
    assert "é ≠ e" in text
