"""What was handed in, by whatever name a platform gave it."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.classroom.grade.intake.collect import collect, matched_notebook, student_id
from llm_course.classroom.grade.marking.assignment import Assignment
from llm_course.errors import CourseError


def assignment(chapter, name):
    return Assignment(
        chapter=chapter, name=name, title=name, version="", setup=(), questions=(), release=None
    )


SELF = assignment("07_attention", "self_attention")
EFFICIENT = assignment("07_attention", "efficient_attention")
DECODING = assignment("10_decoding", "decoding")
ALL = [SELF, EFFICIENT, DECODING]


def handed_in(tmp_path, *names, assignments=(SELF,)):
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return collect(tmp_path, assignments)


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("ada/07_attention/self_attention.ipynb", "ada"),
        ("ada/self_attention.ipynb", "ada"),
        ("week 7/ada/self_attention.ipynb", "ada"),
        ("ada_self_attention.ipynb", "ada"),
        ("07_attention/ada_self_attention.ipynb", "ada"),
        ("ada-self_attention (2).ipynb", "ada"),
        ("Ada Lovelace_1234_assignsubmission_file_/self_attention.ipynb", "Ada_Lovelace"),
        ("Ada Lovelace_1234_assignsubmission_file_self_attention.ipynb", "Ada_Lovelace"),
        ("lovelaceada_12345_678901_self_attention-1.ipynb", "lovelaceada"),
        ("lovelaceada_LATE_12345_678901_self_attention.ipynb", "lovelaceada"),
        ("ada@example.org/self_attention.ipynb", "ada@example.org"),
    ],
)
def test_layouts(tmp_path, name, student):
    found = handed_in(tmp_path, name)
    assert [(s.student, s.key) for s in found.submissions] == [
        (student, "07_attention/self_attention")
    ]
    assert found.submissions[0].data == name.encode() and found.problems == ()


def test_several_notebooks_and_students(tmp_path):
    names = ["ada/self_attention.ipynb", "ada/efficient_attention.ipynb", "bob/decoding.ipynb"]
    found = handed_in(tmp_path, *names, assignments=ALL)
    assert [(s.student, s.notebook) for s in found.submissions] == [
        ("ada", "efficient_attention"),
        ("ada", "self_attention"),
        ("bob", "decoding"),
    ]
    assert found.problems == ()


def test_a_missing_notebook_of_a_chapter_is_told(tmp_path):
    found = handed_in(tmp_path, "ada/self_attention.ipynb", assignments=ALL)
    assert found.problems == (
        "ada: handed in no 07_attention/efficient_attention; it counts 0 of 0 points.",
    )


def test_the_newest_attempt_counts_and_it_is_told(tmp_path):
    names = [f"ada_1_2_self_attention{end}.ipynb" for end in ("", "-1", "-10", "-2")]
    found = handed_in(tmp_path, *names)
    assert [s.path for s in found.submissions] == ["ada_1_2_self_attention-10.ipynb"]
    assert len(found.problems) == 3 and all("handed in again" in p for p in found.problems)


def test_an_unknown_notebook_is_told(tmp_path):
    found = handed_in(tmp_path, "ada/essay.ipynb", "ada/self_attention.ipynb")
    assert found.problems == (
        "ada/essay.ipynb: is none of the notebooks asked for (self_attention).",
    )


def test_students_that_look_alike_stay_apart(tmp_path):
    found = handed_in(tmp_path, "a b/self_attention.ipynb", "a_b/self_attention.ipynb")
    students = {s.student for s in found.submissions}
    assert len(students) == 2 and "a_b" in students
    assert any("look alike" in problem for problem in found.problems)


def test_nothing_to_grade_is_an_error(tmp_path):
    with pytest.raises(CourseError, match="got none"):
        collect(tmp_path, ALL)
    with pytest.raises(CourseError, match="expected a folder or a zip"):
        collect(tmp_path / "gone", ALL)


def test_matching_by_name():
    names = ["attention", "self_attention"]
    assert matched_notebook("ada_self_attention", names) == "self_attention"
    assert matched_notebook("attention (1)", names) == "attention"
    assert matched_notebook("inattention", names) is None


@given(st.text())
def test_ids_are_safe(raw):
    found = student_id(raw)
    assert set(found) <= set(string.ascii_letters + string.digits + "._@-")
    assert not found.startswith((".", "-"))


names = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/"), min_size=1
)


@given(st.lists(names.filter(lambda n: n not in (".", "..") and len(n.encode()) < 60), max_size=5))
def test_no_notebook_is_lost_in_silence(tmp_path_factory, folders):
    root = tmp_path_factory.mktemp("in")
    for number, folder in enumerate(dict.fromkeys(folders)):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / "self_attention.ipynb").write_bytes(str(number).encode())
    try:
        found = collect(root, [SELF])
    except CourseError:
        return
    told = len(found.submissions) + len(found.problems)
    visible = [folder for folder in set(folders) if not folder.startswith(".")]
    assert told >= len(visible)
    assert len({s.student for s in found.submissions}) == len(found.submissions)
