"""The commands around grading: `grade` and `override` for instructors, `validate` and `progress`
for students. What a command needs is imported when it runs.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

Chapter = Annotated[
    list[str] | None, typer.Option(help="A chapter or notebook; may be repeated. Default: all.")
]
PrivateTests = Annotated[Path | None, typer.Option(help="A folder with tests of your own.")]
Due = Annotated[
    list[str] | None,
    typer.Option(help="CHAPTER=DATE, 07_attention=2026-11-30T23:59; may be repeated."),
]
Worksheets = Annotated[
    list[str] | None,
    typer.Option(help="CHAPTER=FILE, Moodle's grading worksheet; may be repeated."),
]
Out = Annotated[Path | None, typer.Option(help="The folder of grades. Default: grading/.")]


def grade(
    submissions: Annotated[Path, typer.Argument(help="A folder or a zip of submissions.")],
    chapter: Chapter = None,
    jobs: Annotated[int, typer.Option(min=1, help="Notebooks at a time.")] = 1,
    out: Out = None,
    scheduler: Annotated[
        str | None, typer.Option(help="A Dask scheduler (tcp://…) instead of this machine.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for another grader to end.")] = False,
    roster: Annotated[Path | None, typer.Option(help="A CSV file with id and name.")] = None,
    book: Annotated[str, typer.Option(help="The book's address, for links in feedback.")] = "",
    private_tests: PrivateTests = None,
    due: Due = None,
    moodle: Worksheets = None,
    canvas: Annotated[Path | None, typer.Option(help="The gradebook that Canvas exported.")] = None,
) -> None:
    """Grade submissions; run it again and only what changed is graded."""
    from rich.console import Console
    from tqdm import tqdm

    from llm_course.classroom.course import find_root
    from llm_course.classroom.grade.outputs.lms_files import read_exported
    from llm_course.classroom.grade.outputs.summary import summary
    from llm_course.classroom.grade.records import late
    from llm_course.classroom.grade.records.class_run import grade_class, known_assignments

    root = find_root()
    known = known_assignments(root, chapter or [], private_tests)
    chapters = {given.chapter for given, _ in known.values()}
    options = {"jobs": jobs, "scheduler": scheduler, "wait": wait, "roster": roster, "book": book}
    options["due"] = late.due_dates(due or [], chapters)
    options["config"] = late.configuration(root)
    options["exported"] = read_exported(moodle or [], canvas, chapters)
    with tqdm(unit="notebook", disable=not sys.stderr.isatty()) as bar:
        options["progress"] = _shown_on(bar)
        run = grade_class(known, submissions, out or root / "grading", **options)
    console = Console()
    console.print(summary(run.grades, console.width))
    _tell(run, out or root / "grading")


def override(
    student: str,
    chapter: str,
    exercise: Annotated[str, typer.Argument(help="Its grade id, ex-07-1-….")],
    points: float,
    reason: Annotated[str, typer.Option(help="Why, in a sentence that the student reads.")],
    out: Out = None,
) -> None:
    """Set the points of an exercise by hand; every later run keeps them."""
    from llm_course.classroom.course import find_root
    from llm_course.classroom.grade.records.class_run import add_override
    from llm_course.classroom.grade.records.override import Override

    given = Override(
        student=student, chapter=chapter, exercise=exercise, points=points, reason=reason
    )
    add_override(out or find_root() / "grading", given)
    typer.echo(f"{exercise} of {student}: {points:g} points. Run grade again to enter them.")


def validate(
    notebook: Annotated[Path, typer.Argument(help="Your notebook.")],
    update: Annotated[
        bool, typer.Option("--update", help="Move your answers into the newest release.")
    ] = False,
) -> None:
    """Run the visible tests of a notebook as grading does."""
    from llm_course.classroom.course import find_root
    from llm_course.classroom.grade.student import update as updates
    from llm_course.classroom.grade.student import validate as validation

    root = find_root()
    if update:
        typer.echo(updates.update(notebook, root))
        return
    report = validation.validate(notebook, root)
    typer.echo("\n".join(validation.told(report)))
    if not validation.has_sandbox():
        typer.echo(
            "No bubblewrap here: your code ran without the sandbox that grading uses, which has no "
            "network, no files of yours, and limits of time and memory."
        )
    if report.points < report.max_points:
        raise typer.Exit(1)


def progress(
    folder: Annotated[
        Path | None, typer.Argument(help="Where your notebooks are. Default: notebooks/.")
    ] = None,
) -> None:
    """Show what is done in your notebooks, the points, and what comes next."""
    from llm_course.classroom.course import find_root
    from llm_course.classroom.grade.student import progress as progresses

    typer.echo(progresses.table(progresses.progress(find_root(), folder)))


def _tell(run: Any, out: Path) -> None:
    """Say what was not graded, what looks mistaken, and where everything lies."""
    for problem in run.problems:
        typer.echo(problem)
    typer.echo(f"{run.graded.new} graded, {run.graded.kept} unchanged.")
    typer.echo(f"Grades, feedback and item analysis: {out}")


def _shown_on(bar: Any) -> Callable[[Any, int, int], None]:
    """What shows each finished report on a progress bar."""

    def show(report: Any, done: int, total: int) -> None:
        bar.total = total
        bar.set_description(report.student)
        bar.update(done - bar.n)

    return show


def add_to(app: typer.Typer) -> None:
    """Add the commands to the course's command line."""
    for command in (grade, override, validate, progress):
        app.command()(command)
