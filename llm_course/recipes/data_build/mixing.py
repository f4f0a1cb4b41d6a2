"""The last steps: the mixture is planned once, cut into shards, and each shard written by a job."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llm_course.data.mixture.plan import Plan, plan_mixture
from llm_course.data.mixture.weights import capped, proportional, temperature
from llm_course.data.packing.token_files import write_index, write_shard
from llm_course.data.packing.token_stream import TokenStream
from llm_course.errors import CourseError
from llm_course.files import atomic_path
from llm_course.recipes.data_build import tokenizing
from llm_course.recipes.data_build.document_files import DocumentSource, write_documents
from llm_course.recipes.data_build.job import Job
from llm_course.recipes.data_build.recipe import MixtureEntry, Recipe
from llm_course.recipes.data_build.workspace import Workspace

STEP = "write"
PLAN = "plan.npy"
SHARDS = "shards"

Sources = Mapping[str, TokenStream | DocumentSource]


def mixture_weights(entry: MixtureEntry, sizes: Mapping[str, int]) -> dict[str, float]:
    """The share of each corpus, by the rule of the recipe.

    >>> mixture_weights(MixtureEntry(weights="capped", cap=10), {"a": 30, "b": 10})
    {'a': 0.5, 'b': 0.5}
    """
    if entry.weights == "temperature":
        return temperature(sizes, entry.temperature)
    if entry.weights == "capped":
        return capped(sizes, entry.cap)
    if entry.weights == "shares":
        return normalised(entry.shares)
    return proportional(sizes)


def normalised(shares: Mapping[str, float]) -> dict[str, float]:
    """Shares that add up to 1 as nearly as a double can; a share of 0 stays."""
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def lengths_of(sources: Sources) -> dict[str, np.ndarray]:
    """For each corpus the length of each document: its ids, or the bytes of its text."""
    return {
        name: np.diff(source.document_ends, prepend=0)
        if isinstance(source, TokenStream)
        else source.lengths
        for name, source in sources.items()
    }


def open_sources(
    workspace: Workspace, recipe: Recipe, before: str, pieces: Mapping[str, Sequence[str]]
) -> Sources:
    """For each corpus its documents, of which any can be read.

    Args:
        workspace: where.
        recipe: what is built.
        before: the last step of filtering.
        pieces: the keys of each corpus.
    """
    if recipe.tokenizer is None:
        folder = workspace.folder(before)
        return {
            name: DocumentSource([folder / f"{key}.jsonl" for key in keys])
            for name, keys in pieces.items()
        }
    return {name: TokenStream(index_folder(workspace, name)) for name in pieces}


def index_folder(workspace: Workspace, corpus: str) -> Path:
    """Where the index of a corpus's tokens lies."""
    return workspace.folder(tokenizing.STEP) / "index" / corpus


def plan(
    workspace: Workspace, recipe: Recipe, sources: Sources
) -> tuple[Plan, list[tuple[int, int]], dict[str, Any]]:
    """Plan the mixture and cut it into shards; the plan is kept for the jobs.

    Returns:
        The plan, from where to where each shard reads it, and what to tell of it.

    Raises:
        CourseError: of a corpus nothing is left.
    """
    lengths = lengths_of(sources)
    sizes = {name: int(counts.sum()) for name, counts in lengths.items()}
    for name, size in sizes.items():
        if size == 0:
            raise CourseError(
                f"corpus {name}: expected that some document remains, got none: the stages "
                "removed all. Fix: leave it out, or stages that do not suit it"
            )
    weights = mixture_weights(recipe.mixture, sizes)
    planned = plan_mixture(lengths, weights, recipe.mixture.size, recipe.seed)
    if len(planned) == 0:
        raise CourseError(
            f"mixture: size: expected room for a document, got {recipe.mixture.size}. "
            "Fix: a larger size"
        )
    path = workspace.work / PLAN
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, np.stack([planned.sources, planned.documents]), allow_pickle=False)
    sequence = _sequence(planned, lengths)
    return planned, cut(sequence, recipe.shard_size), _told(planned, lengths, weights)


def cut(lengths: np.ndarray, size: int) -> list[tuple[int, int]]:
    """Cut a sequence of documents into shards, each ended by the document that fills it.

    >>> cut(np.array([4, 4, 4, 4, 4]), size=7)
    [(0, 2), (2, 4), (4, 5)]
    """
    shards, start, ends = [], 0, np.cumsum(lengths)
    while start < len(lengths):
        before = int(ends[start - 1]) if start else 0
        stop = int(np.searchsorted(ends, before + size, side="left")) + 1
        shards.append((start, min(stop, len(lengths))))
        start = shards[-1][1]
    return shards


def write_piece(job: Job) -> None:
    """Write one shard of the result."""
    start, stop = job.arguments["start"], job.arguments["stop"]
    pieces, before = job.arguments["pieces"], job.arguments["before"]
    sources = open_sources(job.workspace, job.recipe, before, pieces)
    names = list(pieces)
    planned = np.load(job.workspace.work / PLAN, mmap_mode="r", allow_pickle=False)[:, start:stop]
    documents = (sources[names[source]].document(int(number)) for source, number in planned.T)
    folder = job.workspace.out / SHARDS
    if job.recipe.tokenizer is None:
        n_documents, n_bytes = write_documents(folder / f"{job.key}.jsonl", documents)
        job.done({"name": job.key, "n_documents": n_documents, "n_bytes": n_bytes})
        return
    vocab_size = next(iter(sources.values())).vocab_size
    job.done(write_shard(folder, job.key, documents, vocab_size))


def index_tokens(workspace: Workspace, pieces: Mapping[str, Sequence[str]]) -> None:
    """Write, for each corpus, the index over the shards of its pieces."""
    tokenizer = tokenizing.load(workspace.out / tokenizing.FILE)
    for name, keys in pieces.items():
        entries = [workspace.needed(tokenizing.STEP, key) for key in keys]
        moved = [entry | {"name": f"../../{entry['name']}"} for entry in entries]
        write_index(index_folder(workspace, name), moved, tokenizing.vocabulary_size(tokenizer))


def _sequence(planned: Plan, lengths: Mapping[str, np.ndarray]) -> np.ndarray:
    """The length of each document in the order of the plan."""
    flat = np.concatenate(list(lengths.values()))
    starts = np.cumsum([0, *(len(counts) for counts in lengths.values())])
    return flat[starts[planned.sources] + planned.documents]


def _told(
    planned: Plan, lengths: Mapping[str, np.ndarray], weights: Mapping[str, float]
) -> dict[str, Any]:
    """What the report says of each corpus in the mixture."""
    told = {}
    for number, (name, counts) in enumerate(lengths.items()):
        documents = planned.documents[planned.sources == number]
        times = np.bincount(documents, minlength=len(counts))
        told[name] = {
            "weight": round(weights[name], 12),
            "available": int(counts.sum()),
            "taken": int(counts[documents].sum()),
            "documents": len(counts),
            "documents_taken": len(documents),
            "documents_left_out": int((times == 0).sum()),
            "times_at_most": int(times.max()),
        }
    return told
