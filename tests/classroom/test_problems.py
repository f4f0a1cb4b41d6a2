"""What a check found, as text."""

from llm_course.classroom.problems import Problem


def test_problems_sort_by_file_and_line() -> None:
    later = Problem("a.md", 10, "rule", "late")
    earlier = Problem("a.md", 2, "rule", "early")
    assert sorted([later, earlier]) == [earlier, later]
    assert str(earlier) == "a.md:2: rule: early", "an editor must be able to jump there"
