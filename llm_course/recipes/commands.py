"""The commands around recipes: `data build`, `data catalogue`, `data stages` and `train`. What a
command needs is imported when it runs.
"""

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from llm_course.recipes.train.commands import train

data = typer.Typer(no_args_is_help=True, help="Prepare training data from corpora.")


@data.command()
def build(
    recipe: Annotated[
        Path, typer.Option(help="The recipe, a TOML file such as configs/data.toml.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where the result comes. Default: build/data/NAME.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Pieces at a time.")] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(help="A Dask scheduler (tcp://…), whose machines share the folder."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for another build to end.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what another recipe built there.")
    ] = False,
) -> None:
    """Read, filter, deduplicate, tokenise, mix and pack; run it again and it goes on."""
    from llm_course.recipes.data_build.recipe import load_recipe
    from llm_course.recipes.data_build.run import build as run
    from llm_course.recipes.progress import StepBars

    found = load_recipe(recipe)
    folder = out or Path("build/data") / found.name
    with closing(StepBars(shown=sys.stderr.isatty())) as bars:
        report = run(
            found,
            folder,
            jobs=jobs,
            scheduler=scheduler,
            wait=wait,
            force=force,
            progress=bars.tell,
        )
    for line in _summary(report):
        typer.echo(line)
    typer.echo(f"Written to {folder}: shards/, report.json, flow.svg")


@data.command()
def catalogue() -> None:
    """List the corpora that a recipe may name, with their licences and sizes."""
    from llm_course.data.catalogue import catalogue_rows
    from llm_course.data.corpora import is_available

    columns = ("Corpus", "Domain", "Language", "Licence", "Size", "Documents")
    rows = [
        [*(row[column] for column in columns), "yes" if is_available(row["Corpus"]) else "no"]
        for row in catalogue_rows()
    ]
    for line in _aligned([[*columns, "Installed"], *rows]):
        typer.echo(line)


@data.command()
def stages() -> None:
    """List the stages that a recipe may name."""
    from llm_course.recipes.data_build.stage_kinds import STAGE_KINDS

    for line in _aligned([[name, kind.summary] for name, kind in STAGE_KINDS.items()]):
        typer.echo(line)


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(data, name="data")
    app.command()(train)


def _summary(report: dict) -> list[str]:
    """What a build did, one line a stage.

    >>> told = {"name": "1 rules", "n_in": 4, "n_out": 3, "bytes_in": 8_000, "bytes_out": 6_000}
    >>> _summary({"stages": [told], "unit": "tokens",
    ...           "result": {"size": 5, "n_documents": 3, "shards": 1}})
    ['1 rules  4 → 3 documents  0.01 → 0.01 MB', '5 tokens of 3 documents in 1 shard']
    """
    rows = [
        [
            told["name"],
            f"{told['n_in']:,} → {told['n_out']:,} documents",
            f"{told['bytes_in'] / 1e6:.2f} → {told['bytes_out'] / 1e6:.2f} MB",
        ]
        for told in report["stages"]
    ]
    result = report["result"]
    last = f"{result['size']:,} {report['unit']} of {result['n_documents']:,} documents"
    plural = "" if result["shards"] == 1 else "s"
    return [*_aligned(rows), f"{last} in {result['shards']:,} shard{plural}"]


def _aligned(rows: list[list[str]]) -> list[str]:
    """Rows of text in columns.

    >>> _aligned([["a", "bb"], ["ccc", "d"]])
    ['a    bb', 'ccc  d']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
