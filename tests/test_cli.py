import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from llm_course import cli
from llm_course.classroom.author import chapter_text
from llm_course.classroom.book import build as book_builder
from llm_course.classroom.course import Notebook
from llm_course.classroom.coverage import report
from llm_course.classroom.execute import run as runner
from llm_course.classroom.execute.failure import Failure
from llm_course.classroom.execute.run import Result
from llm_course.classroom.problems import Problem
from llm_course.classroom.release import assignment

PROBLEM = Problem("solutions/07_attention/a.md", 3, "length", "too long. Fix: split it.")


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a command in a folder that looks like the course; give its result."""
    (tmp_path / "solutions").mkdir()
    (tmp_path / "_config.yml").touch()
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(cli.app, list(words))


@pytest.fixture
def main(monkeypatch, capsys):
    """Run the entry point with the given words; give exit code, output and error."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["llm-course", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return call


@pytest.fixture
def calls(monkeypatch, tmp_path):
    """Replace execution and book by recorders; give what they were asked."""
    asked = {}
    notebook = Notebook("07_attention", "self_attention", tmp_path / "a.md")
    asked["results"] = [
        Result(
            notebook=notebook,
            status="executed",
            seconds=12.3,
            peak_bytes=2**30,
            device_peak_bytes=None,
            path=tmp_path / "a.ipynb",
        )
    ]

    def fake_execute(root, **options):
        asked["execute"] = options
        return asked["results"]

    def fake_build(root, **options):
        asked["book"] = options
        return book_builder.Book(tmp_path / "index.html", rebuilt=True)

    monkeypatch.setattr(runner, "execute", fake_execute)
    monkeypatch.setattr(book_builder, "build", fake_build)
    return asked


def test_book_executes_builds_and_says_where_to_open_it(run, calls, tmp_path):
    result = run(
        "book", "--scale", "gpu", "--device", "cuda", "--seed", "3", "--only", "07_attention"
    )
    assert result.exit_code == 0, result.output
    assert calls["execute"] == {
        "scale": "gpu",
        "device": "cuda",
        "seed": 3,
        "only": ["07_attention"],
        "jobs": None,
        "force": False,
    }
    assert calls["book"] == {"scale": "gpu", "edition": "reader", "only": ["07_attention"]}
    assert "executed  07_attention/self_attention (12 s, 1.00 GiB)" in result.output
    assert f"Open it: {(tmp_path / 'index.html').resolve().as_uri()}" in result.output


def failed(result, error):
    """The same notebook, failed with an error."""
    place = ("07_attention/self_attention", "Heads", "solutions/a.md", 9)
    return Result(
        notebook=result.notebook,
        status="failed",
        seconds=1.0,
        peak_bytes=None,
        device_peak_bytes=None,
        path=result.path,
        failure=Failure(*place, error, "frames"),
    )


def test_a_failed_notebook_ends_with_1_and_no_book(run, calls):
    calls["results"] = [failed(calls["results"][0], "ValueError: no")]
    result = run("book")
    assert result.exit_code == 1
    assert "solutions/a.md:9: ValueError: no" in result.output and "frames" in result.output
    assert "book" not in calls, "a book is not built from half of its chapters"


def test_what_a_user_can_mend_is_one_line_and_ends_with_2(run, calls):
    error = "CourseError: model.gguf: expected 98 MB, got 1 MB. Fix: make setup"
    calls["results"] = [failed(calls["results"][0], error)]
    result = run("book")
    assert result.exit_code == 2 and "book" not in calls
    told = "error: 07_attention/self_attention: model.gguf: expected 98 MB, got 1 MB."
    assert told in result.output and "frames" not in result.output


def test_notebooks_executes_and_builds_no_book(run, calls):
    assert run("notebooks", "--force", "--jobs", "2").exit_code == 0
    assert calls["execute"]["force"] is True
    assert calls["execute"]["jobs"] == 2
    assert "book" not in calls


@pytest.mark.parametrize(
    ("words", "module", "function"),
    [
        (["check"], chapter_text, "check"),
        (["coverage", "--check"], report, "check"),
        (["release", "--check"], assignment, "check_drift"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_check_ends_with_1_when_it_found_something(run, monkeypatch, words, module, function):
    monkeypatch.setattr(module, function, lambda *_, **__: [PROBLEM])
    result = run(*words)
    assert (result.exit_code, result.output) == (1, f"{PROBLEM}\n")
    monkeypatch.setattr(module, function, lambda *_, **__: [])
    result = run(*words)
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == 1, "it says that all is well"


def test_coverage_prints_the_table(run, monkeypatch):
    monkeypatch.setattr(report, "check", lambda root: [])
    monkeypatch.setattr(report, "render_page", lambda root: "# The table")
    assert "# The table" in run("coverage").output


def test_release_names_what_it_wrote(run, monkeypatch, tmp_path):
    monkeypatch.setattr(
        assignment, "release", lambda root, only: [root / "notebooks" / "07_attention" / "a.ipynb"]
    )
    assert run("release").output.strip().endswith("notebooks/07_attention/a.ipynb")


def test_doctor_ends_with_1_when_something_needed_is_missing(run, tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "llm-course"\ndependencies = ["no-such-package"]\n'
        "[project.optional-dependencies]\nnotebooks = []\ntest = []\n"
    )
    (tmp_path / "materials.txt").touch()
    result = run("doctor")
    assert result.exit_code == 1
    assert "MISSING   base packages: no-such-package. Fix: make setup" in result.output


def test_a_problem_of_the_user_is_one_line_and_ends_with_2(main, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, out, err = main("check")
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and err.count("\n") == 1
    assert "Fix: run inside a clone of the repository." in err


def test_an_unknown_edition_ends_with_2(main):
    code, _, err = main("book", "--edition", "teacher")
    assert code == 2
    assert err.startswith("error: EDITION: expected reader or instructor, got 'teacher'.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["book", "--scale", "tpu"], "tpu"),
        (["notebooks", "--only", "99_magic"], "99_magic"),
        (["check", "--only", "99_magic"], "99_magic"),
    ],
    ids=" ".join,
)
def test_what_is_unknown_is_named(main, words, said):
    code, _, err = main(*words)
    assert code == 2
    assert err.count("\n") == 1 and said in err and "Fix:" in err


def test_a_missing_package_is_one_line(main, monkeypatch):
    def check(*_):
        raise ModuleNotFoundError("No module named 'nbgrader'", name="nbgrader")

    monkeypatch.setattr(chapter_text, "check", check)
    code, _, err = main("check")
    assert (code, err) == (2, "error: the package nbgrader is not installed. Fix: make setup\n")


def test_a_defect_of_the_course_keeps_its_traceback(monkeypatch):
    def check(*_):
        raise ModuleNotFoundError("No module named 'llm_course.gone'", name="llm_course.gone")

    monkeypatch.setattr(chapter_text, "check", check)
    monkeypatch.setattr(sys, "argv", ["llm-course", "check"])
    with pytest.raises(ModuleNotFoundError, match="gone"):
        cli.main()


def test_an_interruption_ends_with_130_and_no_traceback(main, monkeypatch):
    def check(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(chapter_text, "check", check)
    code, _, err = main("check")
    assert code == 130
    assert "Traceback" not in err


def test_the_version_and_the_entry_point():
    told = subprocess.run(
        [sys.executable, "-m", "llm_course.cli", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    assert told.stdout.startswith("llm-course 0.")
