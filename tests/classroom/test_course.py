"""Finding the repository and its chapters."""

from pathlib import Path

import pytest

from llm_course.classroom.course import find_root, notebooks, shown
from llm_course.errors import CourseError


def test_root_is_found_from_any_folder_inside(sample_course: Path) -> None:
    for inside in (sample_course, sample_course / "solutions" / "07_sample"):
        assert find_root(inside) == sample_course.resolve()


def test_root_is_known_by_its_project_name(sample_course: Path) -> None:
    (sample_course / "_config.yml").unlink()
    assert find_root(sample_course) == sample_course.resolve()
    project = sample_course / "pyproject.toml"
    project.write_text(project.read_text().replace("llm-course", "another"))
    with pytest.raises(CourseError, match="run inside a clone"):
        find_root(sample_course)


def test_outside_a_clone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="run inside a clone"):
        find_root(tmp_path)


def test_notebooks_are_sorted_and_skip_other_folders(sample_course: Path) -> None:
    solutions = sample_course / "solutions"
    for folder in ("03_early", "drafts"):
        (solutions / folder).mkdir()
        (solutions / folder / "one.md").write_text("# One")
    keys = [notebook.key for notebook in notebooks(sample_course)]
    assert keys == ["03_early/one", "07_sample/counting"]


@pytest.mark.parametrize("name", ["07_sample", "07_sample/", "07_sample/counting", "counting"])
def test_a_notebook_answers_to_three_names(sample_course: Path, name: str) -> None:
    assert [notebook.key for notebook in notebooks(sample_course, [name])] == ["07_sample/counting"]


def test_an_unknown_name_lists_those_that_exist(sample_course: Path) -> None:
    with pytest.raises(CourseError, match="'08_none'.*07_sample/counting"):
        notebooks(sample_course, ["07_sample", "08_none"])


def test_no_chapters_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "solutions").mkdir()
    with pytest.raises(CourseError, match="expected chapters"):
        notebooks(tmp_path)


def test_wrong_answers_lie_beside_the_chapter(sample_course: Path) -> None:
    folder = notebooks(sample_course)[0].wrong_answers
    assert (folder / "ex_07_1_mean.py").is_file()


def test_paths_are_shown_from_solutions_on() -> None:
    assert shown(Path("/solutions/old/solutions/01_a/b.md")) == "solutions/01_a/b.md"
    assert shown(Path("/elsewhere/b.md")) == "/elsewhere/b.md"
