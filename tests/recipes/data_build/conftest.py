"""A small recipe, an executor without processes, and a look at a folder's bytes."""

from concurrent.futures import Executor, Future
from contextlib import contextmanager

import pytest

from llm_course.recipes.data_build import run

STAGES = [
    {"use": "gopher_quality", "without": ["number of words", "function words"]},
    {"use": "exact_duplicates"},
    {"use": "duplicate_lines", "least": 10, "corpora": ["chatterbot_it"]},
    {"use": "near_duplicates", "n": 3, "least": 0.5},
    {"use": "c4_pages", "corpora": ["tiny_world"]},
]


def small_table(**changes):
    table = {
        "name": "small",
        "seed": 3,
        "documents_per_job": 100,
        "shard_size": 12_000,
        "corpora": [
            {"name": "tiny_world", "limit": 150},
            {"name": "chatterbot_it", "limit": 500},
        ],
        "stages": STAGES,
        "mixture": {"weights": "temperature", "temperature": 2.0},
        "tokenizer": {"use": "bytes"},
    }
    return {key: value for key, value in (table | changes).items() if value is not None}


@pytest.fixture(scope="session")
def table():
    """What makes a recipe's table, with changes; None leaves a field out."""
    return small_table


class Inline(Executor):
    """Does each job at once, in this process."""

    def submit(self, work, text):
        future = Future()
        try:
            future.set_result(work(text))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def inline(jobs, scheduler=None):
    yield Inline


@pytest.fixture
def without_processes(monkeypatch):
    """Run jobs in this process."""
    monkeypatch.setattr(run, "executor", inline)


def bytes_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture(scope="session")
def tree():
    """What reads all files of a folder, the lock apart."""
    return bytes_of
