"""The catalogue: every corpus of the course, with its domain, language, licence and size.

Sizes are measured on the pinned packages (a test measures them again): UTF-8 bytes of the text
alone, not of the file that holds it. The standard library's size is that of Python 3.11 and
differs a little between versions.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from llm_course.data.bible import BIBLE, read_bible
from llm_course.data.documents import Document
from llm_course.data.readers import (
    CHATTERBOT,
    CHITCHAT,
    SHAKESPEARE,
    WIKI,
    read_chatterbot,
    read_chitchat,
    read_shakespeare,
    read_standard_library,
    read_wiki,
)
from llm_course.data.tiny_world.text import documents as tiny_world_documents

# What the embedded corpus holds when it is asked for by name: enough for a CPU-sized run.
TINY_WORLD_BYTES = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """One row of the catalogue.

    Args:
        name: how ``load`` is asked for it.
        domain: encyclopedia, conversation, code, books or stories.
        language: ISO 639-1 code; ``python`` for code.
        licence: of the text, as its source states it.
        n_bytes: UTF-8 bytes of the text.
        n_documents: how many documents it has.
        package: the pinned requirement that brings it; None if nothing needs installing.
        source: what it is and where it comes from, for a page.
        reader: gives the documents of the corpus named in its argument.
    """

    name: str
    domain: str
    language: str
    licence: str
    n_bytes: int
    n_documents: int
    package: str | None
    source: str
    reader: Callable[[str], Iterator[Document]]


def _wiki(code: str, locale: str, n_bytes: int, n_documents: int) -> Corpus:
    """One language of the encyclopedia."""
    return Corpus(
        name=f"wiki_{code}",
        domain="encyclopedia",
        language=code,
        licence="CC BY-SA 4.0",
        n_bytes=n_bytes,
        n_documents=n_documents,
        package=WIKI,
        source="Summaries of Wikipedia's level 4 vital articles, with topics",
        reader=partial(read_wiki, locale=locale),
    )


def _chatterbot(code: str, language: str, n_bytes: int, n_documents: int) -> Corpus:
    """One language of the small dialogue corpus."""
    return Corpus(
        name=f"chatterbot_{code}",
        domain="conversation",
        language=code,
        licence="BSD-3-Clause",
        n_bytes=n_bytes,
        n_documents=n_documents,
        package=CHATTERBOT,
        source="Question-answer pairs and short dialogues written for a chat program, by topic",
        reader=partial(read_chatterbot, language=language),
    )


_ALL = (
    Corpus(
        name="tiny_world",
        domain="stories",
        language="en",
        licence="MIT",
        n_bytes=TINY_WORLD_BYTES,
        n_documents=6_647,
        package=None,
        source="Generated here: stories with tracked entities, questions, instructions, sums",
        reader=lambda corpus: tiny_world_documents(TINY_WORLD_BYTES, seed=0),
    ),
    _wiki("en", "en-us", 4_885_535, 10_033),
    _wiki("fr", "fr-fr", 3_657_207, 9_955),
    _wiki("es", "es-es", 2_723_132, 6_239),
    Corpus(
        name="chitchat",
        domain="conversation",
        language="en",
        licence="MIT",
        n_bytes=13_506_003,
        n_documents=7_168,
        package=CHITCHAT,
        source="Conversations between volunteers, most with ratings; unscreened: filter first",
        reader=read_chitchat,
    ),
    _chatterbot("en", "english", 207_547, 2_026),
    _chatterbot("es", "spanish", 40_387, 280),
    _chatterbot("it", "italian", 53_758, 562),
    _chatterbot("uk", "ukrainian", 80_296, 465),
    _chatterbot("fa", "persian", 210_579, 773),
    _chatterbot("zh", "chinese", 31_126, 467),
    _chatterbot("ja", "japanese", 76_997, 568),
    _chatterbot("ko", "korean", 50_592, 454),
    Corpus(
        name="python",
        domain="code",
        language="python",
        licence="PSF-2.0",
        n_bytes=12_118_641,
        n_documents=731,
        package=None,
        source="Python's standard library as installed, without its tests",
        reader=read_standard_library,
    ),
    Corpus(
        name="shakespeare",
        domain="books",
        language="en",
        licence="CC BY 2.5",
        n_bytes=5_057_198,
        n_documents=42,
        package=SHAKESPEARE,
        source="Plays and poems in modern spelling, from Project Gutenberg by Open Shakespeare",
        reader=read_shakespeare,
    ),
    Corpus(
        name="bible",
        domain="books",
        language="en",
        licence="public domain",
        n_bytes=4_053_564,
        n_documents=1_189,
        package=BIBLE,
        source="World English Bible by chapter: a translation into simple modern English",
        reader=read_bible,
    ),
)

CORPORA: Mapping[str, Corpus] = MappingProxyType({corpus.name: corpus for corpus in _ALL})


def catalogue_rows() -> list[dict[str, str]]:
    """The catalogue as rows of text for a page, in its own order.

    >>> catalogue_rows()[1]["Corpus"], catalogue_rows()[1]["Size"]
    ('wiki_en', '4.89 MB')
    """
    return [
        {
            "Corpus": corpus.name,
            "Domain": corpus.domain,
            "Language": corpus.language,
            "Licence": corpus.licence,
            "Size": f"{corpus.n_bytes / 1e6:.2f} MB",
            "Documents": f"{corpus.n_documents:,}",
            "Package": corpus.package or "built in",
            "Source": corpus.source,
        }
        for corpus in CORPORA.values()
    ]
