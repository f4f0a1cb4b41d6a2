import json

import pytest

from llm_course.classroom.book.benchmark_page import render_page
from llm_course.errors import CourseError

RESULT = {
    "title": "Sorting",
    "what": "Ours against theirs.",
    "command": "python benchmarks/sorting.py",
    "date": "2026-01-02",
    "machine": "2 cores, Linux",
    "versions": {"python": "3.11.7", "torch": "2.13.0"},
    "columns": ["size", "ratio"],
    "rows": [[10, 0.5], [100, "0.75"]],
}


def test_a_result_is_shown_with_its_provenance(tmp_path):
    (tmp_path / "sorting.json").write_text(json.dumps(RESULT))
    page = render_page(tmp_path)
    assert "| size | ratio |\n| --- | --- |\n| 10 | 0.5 |\n| 100 | 0.75 |\n" in page
    assert "Measured on 2026-01-02 with `python benchmarks/sorting.py`; 2 cores, Linux; " in page
    assert "python 3.11.7, torch 2.13.0" in page


def test_a_result_without_rows_is_not_called_measured(tmp_path):
    (tmp_path / "sorting.json").write_text(json.dumps(RESULT | {"rows": []}))
    assert "*Not measured on 2026-01-02 with " in render_page(tmp_path)


def test_without_results_the_page_says_so(tmp_path):
    assert "No result has been recorded yet." in render_page(tmp_path / "absent")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"half\.json: not a result"),
        ("3", r"half\.json: not a result"),
        ('{"title": "x"}', r"half\.json: lacks what, command"),
    ],
)
def test_a_broken_result_is_refused(tmp_path, text, message):
    (tmp_path / "half.json").write_text(text)
    with pytest.raises(CourseError, match=message):
        render_page(tmp_path)


def test_goals_are_judged_by_the_table(tmp_path):
    goals = [
        {"column": "ratio", "least": 0.6, "most": None, "rows": [], "reason": "It copies."},
        {"column": "ratio", "least": None, "most": 0.6, "rows": ["10"], "reason": "Unused."},
        {"column": "ratio", "least": None, "most": 0.6, "rows": ["100"], "reason": "Long ones."},
        {"column": "ratio", "least": 0.6, "most": None, "rows": ["1000"], "reason": ""},
    ]
    (tmp_path / "sorting.json").write_text(json.dumps(RESULT | {"goals": goals}))
    lines = [line for line in render_page(tmp_path).splitlines() if line.startswith("- ")]
    assert lines == [
        "- Goal for *ratio*: at least 0.6: **missed** (10: 0.5). It copies.",
        "- Goal for *ratio* (10): at most 0.6: **reached**.",
        "- Goal for *ratio* (100): at most 0.6: **missed** (100: 0.75). Long ones.",
        "- Goal for *ratio* (1000): at least 0.6: not measured.",
    ]
