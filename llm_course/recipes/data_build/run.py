"""A build from beginning to end: step after step, each a set of jobs, and on from where it stopped.

Jobs run in processes of this machine or on a Dask cluster whose machines share the folder. The
order of their results never matters: each writes its own files, and what is put together is put
together in the recipe's order. So any number of jobs, and any number of interruptions, give the
same bytes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from llm_course.data.packing.token_files import write_index
from llm_course.errors import CourseError
from llm_course.executors import executor, run_jobs
from llm_course.files import atomic_write
from llm_course.lock import locked
from llm_course.recipes.data_build import filtering, mixing, reading, tokenizing
from llm_course.recipes.data_build.job import Job
from llm_course.recipes.data_build.recipe import Recipe
from llm_course.recipes.data_build.report import build_report, flow_figure
from llm_course.recipes.data_build.worker import work
from llm_course.recipes.data_build.workspace import Workspace, fingerprint

FIGURE = "flow.svg"
Progress = Callable[[str, int, int], None]
"""Told the step, how many of its jobs are done, and how many there are."""


@dataclass(frozen=True)
class Runner:
    """What does the jobs of one build.

    Args:
        recipe: what is built.
        workspace: where.
        new_executor: makes an executor.
        at_once: how many jobs may be in flight.
        progress: told of every job.
    """

    recipe: Recipe
    workspace: Workspace
    new_executor: Callable[[], Any]
    at_once: int
    progress: Progress

    def run(self, step: str, jobs: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """Do the jobs of a step that are not done, and return the records of all.

        Args:
            step: its name.
            jobs: the arguments of each job by its key.

        Raises:
            CourseError: a job found something that the user can mend, or its worker died twice.
        """
        left = [key for key in jobs if self.workspace.record(step, key) is None]
        made = [(key, partial(self._text, step, key, jobs[key])) for key in left]
        self.progress(step, len(jobs) - len(left), len(jobs))
        answers = run_jobs(work, made, self.new_executor, self.at_once) if made else ()
        for number, (key, answer) in enumerate(answers, start=1):
            if isinstance(answer, CourseError):
                raise answer
            if isinstance(answer, BaseException):
                raise CourseError(
                    f"{step} {key}: expected a record, got {type(answer).__name__}: {answer} "
                    "Fix: run it again, which goes on from here; with fewer --jobs, or fewer "
                    "documents_per_job, if memory ran out"
                ) from answer
            self.progress(step, len(jobs) - len(left) + number, len(jobs))
        return {key: self.workspace.needed(step, key) for key in jobs}

    def _text(self, step: str, key: str, arguments: Mapping[str, Any]) -> str:
        return Job(
            step=step,
            key=key,
            recipe=self.recipe,
            workspace=self.workspace,
            arguments=arguments,
        ).to_text()


def build(
    recipe: Recipe,
    out: Path,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    wait: bool = False,
    force: bool = False,
    progress: Progress = lambda step, done, total: None,
) -> dict[str, Any]:
    """Build a recipe into a folder, or go on with it, and return its report.

    The folder then holds ``shards/`` (tokens with an index, or documents), ``tokenizer.json``,
    ``report.json`` and ``flow.svg``.

    Args:
        recipe: what is built.
        out: where.
        jobs: how many at a time.
        scheduler: a Dask scheduler's address instead of processes of this machine.
        wait: wait for another build in this folder to end.
        force: replace what another recipe built there.
        progress: told of every job that is done.

    Raises:
        CourseError: another build is at work there, the folder holds something else, a corpus is
            absent, or nothing is left of one.
    """
    with locked(out, wait=wait, who="build"):
        workspace = Workspace(out)
        report = workspace.begin(recipe, force)
        if report is not None:
            return report
        with executor(jobs, scheduler) as new_executor:
            runner = Runner(recipe, workspace, new_executor, 2 * jobs, progress)
            report = _build(runner)
        atomic_write(out / FIGURE, flow_figure(report).svg + "\n")
        workspace.finish(report)
        return report


def _build(runner: Runner) -> dict[str, Any]:
    """All steps, one after the other; those that are done cost nothing."""
    recipe, workspace = runner.recipe, runner.workspace
    corpora = runner.run(reading.STEP, {corpus.name: {} for corpus in recipe.corpora})
    pieces = {name: [piece["key"] for piece in told["pieces"]] for name, told in corpora.items()}
    reports = {name: [[] for _ in keys] for name, keys in pieces.items()}
    step = reading.STEP
    for number, segment in enumerate(filtering.segments(recipe)):
        step = filtering.step_name(number)
        told = runner.run(step, _arguments(pieces, segment=number))
        for name, keys in pieces.items():
            for place, key in enumerate(keys):
                reports[name][place] += told[key]["reports"]
        if segment.last is not None:
            flat = [(key, name) for name, keys in pieces.items() for key in keys]
            filtering.decide(workspace, recipe, number, flat)
    if recipe.tokenizer is not None:
        _tokenize(runner, step, pieces)
    sources = mixing.open_sources(workspace, recipe, step, pieces)
    _, cuts, mixture = mixing.plan(workspace, recipe, sources)
    shards = _write(runner, step, pieces, cuts)
    return build_report(recipe, fingerprint(recipe), corpora, reports, mixture, shards)


def _arguments(pieces: Mapping[str, Sequence[str]], **more: Any) -> dict[str, dict[str, Any]]:
    """The arguments of a job for each piece."""
    return {key: {"corpus": name, **more} for name, keys in pieces.items() for key in keys}


def _tokenize(runner: Runner, before: str, pieces: Mapping[str, Sequence[str]]) -> None:
    """Make the tokenizer, encode all pieces, and index them."""
    folder, keys = runner.workspace.folder(before), [k for keys in pieces.values() for k in keys]
    paths = [folder / f"{key}.jsonl" for key in keys]
    tokenizing.prepare_tokenizer(runner.workspace, runner.recipe.tokenizer, paths)
    runner.run(tokenizing.STEP, _arguments(pieces, before=before))
    mixing.index_tokens(runner.workspace, pieces)


def _write(
    runner: Runner,
    before: str,
    pieces: Mapping[str, Sequence[str]],
    cuts: Iterable[tuple[int, int]],
) -> list[dict[str, Any]]:
    """Write the shards of the result, and the index of tokens."""
    jobs = {
        f"shard-{number:05d}": {"start": start, "stop": stop, "before": before, "pieces": pieces}
        for number, (start, stop) in enumerate(cuts)
    }
    shards = list(runner.run(mixing.STEP, jobs).values())
    if runner.recipe.tokenizer is not None:
        tokenizer = tokenizing.load(runner.workspace.out / tokenizing.FILE)
        write_index(
            runner.workspace.out / mixing.SHARDS,
            shards,
            tokenizing.vocabulary_size(tokenizer),
            end=tokenizer.special_tokens[runner.recipe.tokenizer.end],
        )
    return shards
