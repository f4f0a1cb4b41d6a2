"""The command `llm-course`.

A command prints what it did and ends with 0. A check that found something ends with 1. A problem
that the user can mend is one line on standard error, and ends with 2. What a command needs is
imported when it runs, so that `doctor` works where most of it is missing.
"""

import sys
from importlib import metadata
from typing import Annotated

import typer

from llm_course.classroom.grade import commands
from llm_course.errors import CourseError
from llm_course.recipes import commands as recipes
from llm_course.serving import commands as serving_commands

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Build, check, release and grade the course; serve a model, and talk to it.",
)

Scale = Annotated[str, typer.Option(help="cpu or gpu: how large the inputs are.")]
Device = Annotated[str, typer.Option(help="cpu or cuda: where the notebooks compute.")]
Seed = Annotated[int, typer.Option(help="Every random number follows from it.")]
Only = Annotated[
    list[str] | None, typer.Option(help="A chapter or notebook; may be repeated. Default: all.")
]
Jobs = Annotated[int | None, typer.Option(help="Notebooks at a time. Default: one for each core.")]
Force = Annotated[bool, typer.Option("--force", help="Execute again what has not changed.")]


@app.command()
def book(
    scale: Scale = "cpu",
    device: Device = "cpu",
    seed: Seed = 0,
    edition: Annotated[str, typer.Option(help="reader or instructor (with solutions).")] = "reader",
    only: Only = None,
    jobs: Jobs = None,
    force: Force = False,
) -> None:
    """Execute the chapters and build the book."""
    from llm_course.classroom.book import build as book_builder
    from llm_course.classroom.book.strip import check_edition
    from llm_course.classroom.course import find_root

    chosen = check_edition(edition)
    root = find_root()
    _execute(scale, device, seed, only, jobs, force)
    built = book_builder.build(root, scale=scale, edition=chosen, only=_names(only))
    typer.echo("The book is built." if built.rebuilt else "The book is up to date.")
    typer.echo(f"Open it: {built.index.resolve().as_uri()}")


@app.command()
def notebooks(
    scale: Scale = "cpu",
    device: Device = "cpu",
    seed: Seed = 0,
    only: Only = None,
    jobs: Jobs = None,
    force: Force = False,
) -> None:
    """Execute the chapters; the results lie in build/executed."""
    _execute(scale, device, seed, only, jobs, force)


@app.command()
def release(
    check: Annotated[
        bool, typer.Option("--check", help="Compare with what is committed, write nothing.")
    ] = False,
    only: Only = None,
) -> None:
    """Write the students' notebooks, without solutions and hidden tests."""
    from llm_course.classroom.course import find_root
    from llm_course.classroom.release import assignment as releases

    root = find_root()
    if check:
        _report(
            releases.check_drift(root, only=_names(only)),
            "The students' notebooks agree with the chapters.",
        )
    else:
        for path in releases.release(root, only=_names(only)):
            typer.echo(path.relative_to(root))


@app.command()
def coverage(
    check: Annotated[bool, typer.Option("--check", help="Only check; print no table.")] = False,
) -> None:
    """Check that what book/topics.yml names exists, and print the five ticks of every topic."""
    from llm_course.classroom.course import find_root
    from llm_course.classroom.coverage import report as ticks

    root = find_root()
    found = ticks.check(root)
    if not check and not found:
        typer.echo(ticks.render_page(root))
    _report(found, "Every tick of the coverage table holds.")


@app.command()
def check(only: Only = None) -> None:
    """Check the chapters against the conventions for authors."""
    from llm_course.classroom.author import chapter_text
    from llm_course.classroom.course import find_root

    _report(chapter_text.check(find_root(), _names(only)), "The chapters keep the conventions.")


@app.command()
def doctor() -> None:
    """Say what this machine lacks for the course, and how to get it."""
    from llm_course.classroom.course import find_root
    from llm_course.classroom.doctor import examine

    findings = examine(find_root())
    for finding in findings:
        typer.echo(finding)
    if any(finding.required and not finding.ok for finding in findings):
        raise typer.Exit(1)


commands.add_to(app)
serving_commands.add_to(app)
recipes.add_to(app)


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True)
    ] = False,
) -> None:
    """Build, check and release the course."""
    if version:
        typer.echo(f"llm-course {metadata.version('llm-course')}")
        raise typer.Exit


def main() -> None:
    """Run the command line; the entry point of `llm-course`."""
    try:
        app()
    except CourseError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except ModuleNotFoundError as error:
        if (error.name or "llm_course").startswith("llm_course"):
            raise
        print(f"error: the package {error.name} is not installed. Fix: make setup", file=sys.stderr)
        raise SystemExit(2) from None


def _execute(
    scale: str, device: str, seed: int, only: list[str] | None, jobs: int | None, force: bool
) -> None:
    """Execute notebooks, tell what each one cost, and end with 1 if one failed."""
    from llm_course.classroom.course import find_root
    from llm_course.classroom.execute.run import execute

    results = execute(
        find_root(),
        scale=scale,
        device=device,
        seed=seed,
        only=_names(only),
        jobs=jobs,
        force=force,
    )
    for result in results:
        peak = f", {result.peak_bytes / 2**30:.2f} GiB" if result.peak_bytes else ""
        typer.echo(f"{result.status:9} {result.notebook.key} ({result.seconds:.0f} s{peak})")
    failures = [result.failure for result in results if result.failure]
    if failures and all(failure.mendable for failure in failures):
        print(*failures, sep="\n", file=sys.stderr)
        raise typer.Exit(2)
    _report(failures)


def _report(found: list, success: str = "") -> None:
    """Print what a check found and end with 1, or say that all is well."""
    for item in found:
        print(item, file=sys.stderr)
    if found:
        raise typer.Exit(1)
    if success:
        typer.echo(success)


def _names(only: list[str] | None) -> list[str]:
    """The names given with `--only`, each of which may be several, separated by commas.

    >>> _names(["07_attention,00_primer", ""])
    ['07_attention', '00_primer']
    """
    return [name for given in only or [] for name in given.split(",") if name]


if __name__ == "__main__":
    main()
