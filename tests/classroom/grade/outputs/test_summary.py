import io
import re

import pytest
from rich.console import Console

from llm_course.classroom.grade.marking.report import Fault
from llm_course.classroom.grade.outputs.summary import summary
from llm_course.classroom.grade.records.class_grades import ClassGrades


def printed(grades, width=100):
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(summary(grades, width))
    return console.file.getvalue()


def row(text, name):
    """The cells after a name, from every table."""
    return [
        cell
        for line in text.splitlines()
        if line.strip().startswith(name)
        for cell in line.strip().removeprefix(name).split()
    ]


@pytest.fixture
def grades(made):
    def report(student, points, chapter, **fields):
        question = made.question("ex-1", [made.test(points=points, max_points=10)])
        return made.report(student, [question], chapter, **fields)

    slow = Fault(name="cell-timeout", message="Stopped.")
    return ClassGrades(
        [
            report("ada", 7.25, "07_attention", faults=(slow, slow)),
            report("ada", 10, "08_blocks"),
            report("bob", 4, "07_attention"),
            report("cy", 0, "08_blocks", status="grader-fault"),
        ],
        {"ada": "Ada Lovelace", "dee": "Dee"},
        {("bob", "07_attention"): 1},
    )


def test_every_number_is_right(grades):
    text = printed(grades)
    assert row(text, "Student") == ["07", "08", "total", "faults"]
    assert row(text, "of") == ["10", "10", "20"]
    assert row(text, "Ada Lovelace") == ["7.25", "10", "17.25", "2"]
    assert row(text, "bob") == ["3", "–", "3", "0"]
    assert row(text, "cy") == ["–", "again", "again", "0"]
    assert row(text, "Dee") == ["–", "–", "–", "–"]
    assert row(text, "class mean") == ["5.12", "10", "10.12", "0.67"]


def test_marks_are_explained_where_they_are_used(grades, made):
    assert "nothing handed in" in printed(grades)
    assert "nothing handed in" not in printed(ClassGrades([made.report("ada", [made.question()])]))


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120, 200])
def test_no_line_is_too_wide_and_no_number_is_cut(made, width):
    reports = [
        made.report(
            student,
            [made.question("ex-1", [made.test(points=points, max_points=123.75)])],
            f"{chapter:02d}_x",
        )
        for chapter in range(13)
        for student, points in (("a" * 50, 100.25), ("王小明" * 12, 99.5), ("ada", 123.75))
    ]
    text = printed(ClassGrades(reports), width)
    assert max(Console().measure(line).maximum for line in text.splitlines()) <= width
    assert row(text, "ada") == ["123.75"] * 13 + ["1608.75", "0"]
    assert len(re.findall(r"(?<![\d.])100\.25(?![\d.])", text)) == 13


def test_chapters_with_one_number_are_told_apart(made):
    reports = [made.report("ada", [made.question()], chapter) for chapter in ("07_a", "07_b")]
    assert row(printed(ClassGrades(reports)), "Student")[:2] == ["07_a", "07_b"]


@pytest.mark.parametrize("name", ["[bold]x[/bold]", "\x1b[31mx", "\u202ex", "a\nb", "\ud800", ""])
def test_a_name_does_nothing_to_the_terminal(made, name):
    text = printed(ClassGrades([made.report("s", [made.question()])], {"s": name, "t": name}))
    assert not set("\x1b\u202e\ud800") & set(text)
    assert "[bold]" in text or "bold" not in name
    text.encode()


def test_without_submissions_it_says_so():
    assert printed(ClassGrades([])) == "No submissions were graded.\n"
