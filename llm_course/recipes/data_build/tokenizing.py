"""From text to ids: the tokenizer of a build, made once, and each piece encoded by a job."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from llm_course.data.packing.token_files import write_shard
from llm_course.errors import CourseError
from llm_course.recipes.data_build.document_files import read_documents
from llm_course.recipes.data_build.job import Job
from llm_course.recipes.data_build.recipe import TokenizerEntry
from llm_course.recipes.data_build.workspace import Workspace
from llm_course.tokenizers.base import Tokenizer
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.bpe_training import train_bpe
from llm_course.tokenizers.byte_level import byte_characters
from llm_course.tokenizers.tokenizer_json import load, save

STEP = "tokenize"
FILE = "tokenizer.json"


def byte_tokenizer(end: str) -> ByteLevelBPE:
    """The tokenizer that merges nothing: each byte is its own id, and 256 ends a document.

    >>> byte_tokenizer("<end>").encode("Aé")
    [65, 195, 169]
    """
    vocabulary = {character: byte for byte, character in enumerate(byte_characters())}
    return ByteLevelBPE(vocabulary | {end: 256}, [], special_tokens=[end])


def whole(text: str) -> str:
    """The text with every half of a surrogate pair, which has no bytes, as U+FFFD.

    >>> whole("a" + chr(0xD800) + "b")
    'a�b'
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def prepare_tokenizer(workspace: Workspace, entry: TokenizerEntry, pieces: Sequence[Path]) -> None:
    """Make the tokenizer of a build and keep it beside the result, unless it is there.

    Args:
        workspace: where.
        entry: what the recipe says.
        pieces: the files of the cleaned documents, from which ``bpe`` learns: the first of every
            piece in turn, until there is enough.

    Raises:
        CourseError: the file is missing or damaged, or lacks the token that ends a document.
    """
    path = workspace.out / FILE
    if path.is_file():
        return
    try:
        if entry.use == "bytes":
            tokenizer: Tokenizer = byte_tokenizer(entry.end)
        elif entry.use == "bpe":
            texts = training_texts(pieces, entry.training_bytes)
            tokenizer = train_bpe(texts, entry.vocab_size, special_tokens=[entry.end])
        else:
            tokenizer = load(entry.path)
    except ValueError as error:
        raise CourseError(f"tokenizer: {error}") from error
    if entry.end not in tokenizer.special_tokens:
        raise CourseError(
            f"{entry.path}: expected the special token {entry.end!r}, "
            f"got {', '.join(tokenizer.special_tokens) or 'none'}. Fix: name one of them as `end`"
        )
    save(tokenizer, path)


def training_texts(pieces: Sequence[Path], n_bytes: int) -> Iterator[str]:
    """Texts of every piece in turn, document by document, until there are so many bytes."""
    waiting = [read_documents(piece) for piece in pieces]
    while waiting and n_bytes > 0:
        for stream in list(waiting):
            document = next(stream, None)
            if document is None:
                waiting.remove(stream)
            elif n_bytes > 0:
                n_bytes -= document.n_bytes
                yield whole(document.text)


@lru_cache(maxsize=2)
def _loaded(path: Path, changed: int) -> Tokenizer:
    """The tokenizer of a file, kept for the next job of this worker."""
    return load(path)


def tokenize_piece(job: Job) -> None:
    """Encode the documents of one piece, each ended by the token for that."""
    path = job.workspace.out / FILE
    tokenizer = _loaded(path, path.stat().st_mtime_ns)
    end = tokenizer.special_tokens[job.recipe.tokenizer.end]
    source = job.workspace.folder(job.arguments["before"]) / f"{job.key}.jsonl"
    encoded = (
        [*tokenizer.encode(whole(document.text)), end] for document in read_documents(source)
    )
    job.done(write_shard(job.workspace.folder(STEP), job.key, encoded, vocabulary_size(tokenizer)))


def vocabulary_size(tokenizer: Tokenizer) -> int:
    """One more than the largest id: a vocabulary may have gaps."""
    return max(tokenizer.vocabulary.values()) + 1
