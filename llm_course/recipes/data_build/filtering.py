"""The stages of a recipe, cut where one needs to know the whole corpus.

A segment is a run of local stages. Between two segments stands a global stage: the segment before
it signs its documents, the decision is taken in one place, and the segment after it begins with
what was decided. A recipe with ``n`` global stages has ``n + 1`` segments.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llm_course.data.documents import Document
from llm_course.data.stages import Outcome, Stage, chain
from llm_course.files import atomic_path
from llm_course.recipes.data_build import reading
from llm_course.recipes.data_build.document_files import read_documents, write_documents
from llm_course.recipes.data_build.global_stages import Arrays, Decision, GlobalStage
from llm_course.recipes.data_build.job import Job
from llm_course.recipes.data_build.recipe import Recipe, StageEntry
from llm_course.recipes.data_build.stage_kinds import make_stage
from llm_course.recipes.data_build.workspace import Workspace


@dataclass(frozen=True)
class Segment:
    """A run of local stages.

    Args:
        first: the global stage whose decision it begins with, by its number in the recipe.
        local: the stages that follow, by their numbers.
        last: the global stage for which it signs.
    """

    first: int | None
    local: tuple[int, ...]
    last: int | None


def segments(recipe: Recipe) -> list[Segment]:
    """The segments of a recipe.

    >>> from llm_course.recipes.data_build.recipe import parse_recipe
    >>> table = {"name": "demo", "corpora": [{"name": "tiny_world"}]}
    >>> stages = [{"use": use} for use in ("c4_lines", "exact_duplicates", "c4_pages")]
    >>> for segment in segments(parse_recipe(table | {"stages": stages})):
    ...     print(segment)
    Segment(first=None, local=(0,), last=1)
    Segment(first=1, local=(2,), last=None)
    """
    found, first, local = [], None, []
    for number, entry in enumerate(recipe.stages):
        if isinstance(made(entry), GlobalStage):
            found.append(Segment(first, tuple(local), number))
            first, local = number, []
        else:
            local.append(number)
    return [*found, Segment(first, tuple(local), None)]


def made(entry: StageEntry) -> Stage | GlobalStage:
    """The stage of an entry."""
    return make_stage(entry.use, entry.options, "recipe")


def stage_name(recipe: Recipe, number: int) -> str:
    """How a stage is called in reports: its number, from 1, and its kind."""
    return f"{number + 1} {recipe.stages[number].use}"


def step_name(number: int) -> str:
    """The step of a segment."""
    return f"filter-{number}"


def decision_name(number: int) -> str:
    """The step of the decision on a global stage."""
    return f"decide-{number}"


def filter_piece(job: Job) -> None:
    """Send one piece through one segment."""
    number, corpus = job.arguments["segment"], job.arguments["corpus"]
    segment, entries = segments(job.recipe)[number], job.recipe.stages
    stages: dict[str, Stage] = {}
    if segment.first is not None and entries[segment.first].applies_to(corpus):
        decision = job.workspace.needed(decision_name(segment.first), job.key)
        stages[stage_name(job.recipe, segment.first)] = _decided(entries[segment.first], decision)
    for place in segment.local:
        if entries[place].applies_to(corpus):
            stages[stage_name(job.recipe, place)] = made(entries[place])
    before = reading.STEP if number == 0 else step_name(number - 1)
    source = read_documents(job.workspace.folder(before) / f"{job.key}.jsonl")
    stream, reports = chain(stages, source)
    documents = list(stream)
    folder = job.workspace.folder(job.step)
    n_documents, n_bytes = write_documents(folder / f"{job.key}.jsonl", documents)
    if segment.last is not None and entries[segment.last].applies_to(corpus):
        _save(folder / f"{job.key}.npz", made(entries[segment.last]).sign(documents))
    job.done(
        {
            "n_documents": n_documents,
            "n_bytes": n_bytes,
            "ids": [document.id for document in documents] if segment.last is not None else [],
            "reports": [report.as_dict() for report in reports],
        }
    )


def decide(
    workspace: Workspace, recipe: Recipe, number: int, pieces: Sequence[tuple[str, str]]
) -> None:
    """Decide on a global stage, over all pieces in order, and leave a decision for each.

    Args:
        workspace: where.
        recipe: what is built.
        number: of the segment that ends with the stage.
        pieces: the key and the corpus of each.
    """
    last = segments(recipe)[number].last
    chosen = [key for key, corpus in pieces if recipe.stages[last].applies_to(corpus)]
    step = decision_name(last)
    if all(workspace.record(step, key) is not None for key in chosen):
        return
    decisions = made(recipe.stages[last]).decide(_signed(workspace, number, chosen))
    for key, decision in zip(chosen, decisions, strict=True):
        workspace.done(step, key, decision)


def _signed(
    workspace: Workspace, number: int, keys: Iterable[str]
) -> Iterator[tuple[list[str], Arrays]]:
    """The ids and the signatures of pieces, in order."""
    step = step_name(number)
    for key in keys:
        with np.load(workspace.folder(step) / f"{key}.npz", allow_pickle=False) as arrays:
            yield workspace.needed(step, key)["ids"], dict(arrays)


def _decided(entry: StageEntry, decision: Decision) -> Stage:
    """The stage that carries out a decision."""
    apply = made(entry).apply

    def stage(documents: Iterable[Document]) -> Iterator[Outcome]:
        return apply(list(documents), decision)

    return stage


def _save(path: Path, arrays: dict[str, Any]) -> None:
    """Write arrays, without pickles."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
