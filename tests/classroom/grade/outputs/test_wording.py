import pytest

from llm_course.classroom.grade.marking.report import Fault
from llm_course.classroom.grade.outputs.wording import (
    address,
    cost,
    in_book,
    is_address,
    misconception,
    outcome,
    title_of,
)

BOOK = "https://example.org/course"


@pytest.mark.parametrize(
    ("points", "most", "message", "expected"),
    [
        (2, 2, "", "passed"),
        (1, 2, "", "partly"),
        (0, 2, "", "failed"),
        (0, 0, "", "passed"),
        (0, 0, "Expected 3, got 4.", "failed"),
    ],
)
def test_outcome(made, points, most, message, expected):
    assert outcome(made.test("t", points, most, message=message)) == expected


@pytest.mark.parametrize(
    ("fields", "points", "told"),
    [
        ({"cost": True}, 4, "It may have cost up to 6 of the 10 points."),
        ({"cost": True}, 10, "It cost you no points."),
        ({"cost": False}, 4, "It cost you no points."),
        ({"blame": "grader"}, 0, "This was our fault, not yours"),
        ({"blame": "grader", "cost": True}, 0, "will not cost you points"),
    ],
)
def test_what_a_fault_cost(fields, points, told):
    assert told in cost(Fault(name="x", message="", **fields), points, 10)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("The mask is\n  never used.", "the mask is never used."),
        ("True means hidden", "True means hidden."),
        ("A key is lost", "a key is lost."),
        ("RoPE is applied twice", "RoPE is applied twice."),
        ("d_k is forgotten!", "d_k is forgotten!"),
        ("x" * 10_000, "…"),
    ],
)
def test_a_misconception_is_one_sentence(text, end):
    told = misconception(text)
    assert told.startswith("Your answer behaves like a mistake that many make: ")
    assert told.endswith(end) and "\n" not in told and len(told) < 500


def test_no_misconception_says_nothing():
    assert misconception(" \n") == ""


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>1</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example/x",
        "/\\evil.example",
        "../../etc",
        "a/../../b.html",
        "https://user:pw@evil.example",
        'https://a.example/" onclick="x',
        "https://a.example/<b>",
        "https://a.example/\n",
        "mailto:a@b.c",
        "",
    ],
)
def test_only_web_pages_and_places_in_the_book_are_linked(link):
    assert address(link, BOOK) == ""


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (
            "07_attention/self_attention.html#scaled",
            f"{BOOK}/07_attention/self_attention.html#scaled",
        ),
        ("https://a.example/p?q=1#s", "https://a.example/p?q=1#s"),
        ("http://localhost:8000/x.html", "http://localhost:8000/x.html"),
    ],
)
def test_links_that_hold(link, expected):
    assert address(link, BOOK) == expected
    assert is_address(expected)


def test_without_a_book_a_place_in_it_has_no_address():
    assert in_book("07_attention/x.html#y")
    assert address("07_attention/x.html#y", "") == ""


@pytest.mark.parametrize(
    ("chapter", "notebook", "title"),
    [
        ("07_attention", "self_attention", "Chapter 7: self attention"),
        ("demo", "p", "demo: p"),
        ("²_x", "p", "²_x: p"),
        ("9" * 5000, "p", "9" * 5000 + ": p"),
    ],
)
def test_titles(chapter, notebook, title):
    assert title_of(chapter, notebook) == title
