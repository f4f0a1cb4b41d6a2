"""Releases: what they hold, that they are reproducible, and that nbgrader can grade them."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.validator import Validator

from llm_course.classroom.author import chapter_text
from llm_course.classroom.author.exercises import exercises
from llm_course.classroom.cells import grade_id, is_solution
from llm_course.classroom.course import notebooks
from llm_course.classroom.release.assignment import check_drift, release, version
from llm_course.classroom.release.nbgrader_settings import programs_on_path, settings, staging
from llm_course.classroom.release.stubs import HIDDEN_NOTICE
from llm_course.errors import CourseError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A released course that tests only read."""
    sample = Path(__file__).parents[1] / "sample_course"
    root = Path(shutil.copytree(sample, tmp_path_factory.mktemp("released") / "course"))
    release(root)
    return root


@pytest.fixture
def released_course(made: Path, tmp_path: Path) -> Path:
    """A copy of the released course."""
    return Path(shutil.copytree(made, tmp_path / "course"))


def _release_of(root: Path) -> Path:
    """The one release of the sample."""
    return root / "notebooks" / "07_sample" / "counting.ipynb"


def _solved(root: Path, released: Path, answers: dict[str, str]) -> nbformat.NotebookNode:
    """The release with the solutions written in, those in `answers` in another way."""
    (notebook,) = notebooks(root)
    solved = {e.label: e.solution_source for e in exercises(notebook)} | answers
    submission = nbformat.read(released, as_version=4)
    for cell in submission.cells:
        if is_solution(cell):
            cell.source = solved[grade_id(cell)]
    return submission


def test_nothing_of_the_answers_is_left(made: Path) -> None:
    path = _release_of(made)
    text = path.read_text(encoding="utf-8")
    (notebook,) = notebooks(made)
    for exercise in exercises(notebook):
        for line in exercise.hidden_test.split("\n")[1:-1]:
            assert line.strip() not in text, f"{exercise.label}: a hidden test is released"
    for secret in ("BEGIN", "return sum(numbers) / len(numbers)", "{exercise}", "{cite", ")=\n"):
        assert secret not in text
    by_id = {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}
    assert by_id["test-07-1-mean-hidden"].source == HIDDEN_NOTICE
    assert by_id["ex-07-1-mean"].source == exercises(notebook)[0].stub_source


def test_a_release_is_stamped_and_clean(made: Path) -> None:
    found = nbformat.read(_release_of(made), as_version=4)
    stamp = found.metadata["llm_course"]
    assert (stamp["title"], stamp["version"], len(stamp["source"])) == ("Counting", "0.1.0", 64)
    assert found.metadata["kernelspec"] == chapter_text.KERNEL
    for cell in found.cells:
        assert "llm_course" not in cell.metadata
        assert not cell.get("outputs")
    ids = [cell.id for cell in chapter_text.read(notebooks(made)[0]).cells]
    assert [cell.id for cell in found.cells] == ids


def test_the_same_chapter_gives_the_same_bytes(made: Path, sample_course: Path) -> None:
    once = _release_of(made).read_bytes()
    (first,) = release(sample_course)
    assert first == _release_of(sample_course)
    assert first.read_bytes() == once, "the folder's name must leave no trace"
    assert release(sample_course)[0].read_bytes() == once


def test_nothing_is_written_outside_build_and_notebooks(made: Path) -> None:
    before = {path.name for path in (Path(__file__).parents[1] / "sample_course").iterdir()}
    assert {path.name for path in made.iterdir()} - before == {"build", "notebooks"}


def test_stale_releases_go_unless_only_some_are_made(released_course: Path) -> None:
    stale = released_course / "notebooks" / "99_gone" / "old.ipynb"
    stale.parent.mkdir(parents=True)
    stale.write_text("{}")
    release(released_course, only=["counting"])
    assert stale.is_file()
    assert check_drift(released_course) == [
        f"{stale}: released from no chapter. Fix: llm-course release"
    ]
    release(released_course)
    assert not stale.exists()


def test_drift_is_told(released_course: Path) -> None:
    chapter = released_course / "solutions" / "07_sample" / "counting.md"
    assert check_drift(released_course) == []
    text = chapter.read_text(encoding="utf-8")
    chapter.write_text(text.replace("count with their sign", "count so"), encoding="utf-8")
    assert "differs from its chapter" in check_drift(released_course)[0], "a hidden test changed"
    _release_of(released_course).unlink()
    assert "not released" in check_drift(released_course)[0]


def test_a_visible_test_passes_once_its_exercise_is_solved(released_course: Path) -> None:
    path, validator = _release_of(released_course), Validator()
    assert [failed["error"] for failed in validator.validate(str(path))["failed"]]
    solved = path.with_name("solved.ipynb")
    nbformat.write(_solved(released_course, path, {}), solved)
    assert validator.validate(str(solved)) == {}, "nbgrader's Validate button must be content"


def test_nbgrader_grades_its_own_release(released_course: Path) -> None:
    path, course = _release_of(released_course), staging(released_course)
    wrong = {"ex-07-1-mean": "def mean(numbers):\n    return sum(numbers) // len(numbers)"}
    for student, answers in (("right", {}), ("half", wrong)):
        target = course / "submitted" / student / "07_sample" / "counting.ipynb"
        target.parent.mkdir(parents=True)
        nbformat.write(_solved(released_course, path, answers), target)
    config = settings(course)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    scores = {}
    with programs_on_path():
        for student in ("right", "half"):
            result = api.autograde("07_sample", student)
            assert result["success"], result.get("log")
        with Gradebook(config.CourseDirectory.db_url) as gradebook:
            for student in ("right", "half"):
                graded = gradebook.find_submission("07_sample", student)
                scores[student] = (graded.score, graded.max_score)
    assert scores == {"right": (10.0, 10.0), "half": (8.0, 10.0)}
    assert release(released_course) == [path], "submissions must not stand in a release's way"


def test_what_nbgrader_refuses_is_an_error_and_leaves_the_release(
    released_course: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = _release_of(released_course)
    before = path.read_bytes()
    chapter = released_course / "solutions" / "07_sample" / "counting.md"
    text = chapter.read_text(encoding="utf-8").replace("    ### END SOLUTION\n", "", 1)
    chapter.write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match="07_sample: nbgrader made no release: .*solution"):
        release(released_course)
    assert path.read_bytes() == before
    assert capfd.readouterr() == ("", ""), "nbgrader's log and traceback are not the user's"


def test_a_broken_gradebook_is_an_error(released_course: Path) -> None:
    (staging(released_course) / "gradebook.db").write_text("not a database, whatever its name says")
    with pytest.raises(CourseError, match=r"gradebook\.db: no gradebook: .*Fix: delete that file"):
        release(released_course)


def test_nbgrader_is_quiet_when_all_is_well(
    released_course: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    release(released_course)
    assert capfd.readouterr() == ("", "")


def test_a_project_without_version_is_an_error(sample_course: Path) -> None:
    (sample_course / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(CourseError, match="expected a project version"):
        version(sample_course)
