"""The data of a run: generated and tokenised once, or what ``llm-course data build`` wrote."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from llm_course.data.packing.token_files import INDEX, read_index, write_index, write_shard
from llm_course.data.packing.token_stream import TokenStream
from llm_course.data.tiny_world.splits import Split
from llm_course.data.tiny_world.text import documents
from llm_course.errors import CourseError
from llm_course.recipes.train.recipe import TrainRecipe
from llm_course.recipes.train.rows import Rows
from llm_course.tokenizers.base import Tokenizer
from llm_course.tokenizers.bpe_training import train_bpe
from llm_course.tokenizers.tokenizer_json import load, save

END = "<|endoftext|>"
TOKENIZER = "tokenizer.json"
_SPLITS: tuple[Split, ...] = ("train", "held_out")


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """What a run reads.

    Args:
        tokenizer: of all texts.
        train: the rows that are learnt from.
        held_out: the rows that are not.
        sha256: of the tokenizer and of all tokens.
    """

    tokenizer: Tokenizer
    train: Rows
    held_out: Rows
    sha256: str


def open_corpus(recipe: TrainRecipe, folder: Path, context_length: int) -> Corpus:
    """The data of a recipe; generated text is made in ``folder`` unless it is there.

    Raises:
        CourseError: the token files are missing, damaged or too few, or those of another recipe.
    """
    if recipe.data.tokens:
        return _built(recipe, context_length)
    if not (folder / INDEX).is_file():
        _generate(recipe, folder)
    made = read_index(folder).get("recipe")
    if made != _made_from(recipe):
        raise CourseError(
            f"{folder}: expected the data of {_made_from(recipe)}, got that of {made}. "
            "Fix: name another folder with --out, or begin anew with --force"
        )
    streams = {split: TokenStream(folder / split) for split in _SPLITS}
    return Corpus(
        tokenizer=load(folder / TOKENIZER),
        train=Rows(streams["train"], context_length),
        held_out=Rows(streams["held_out"], context_length),
        sha256=digest(folder / TOKENIZER, *(folder / split for split in _SPLITS)),
    )


def digest(tokenizer: Path, *folders: Path) -> str:
    """The sha256 of a tokenizer and of the shards of token folders, in the order of their index."""
    found = hashlib.sha256(tokenizer.read_bytes())
    for folder in folders:
        for shard in TokenStream(folder).index["shards"]:
            with (folder / f"{shard['name']}.tokens").open("rb") as file:
                found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


def end_id(tokenizer: Tokenizer) -> int:
    """The token that ends a document.

    Raises:
        CourseError: the tokenizer has none.
    """
    if END not in tokenizer.special_tokens:
        known = ", ".join(tokenizer.special_tokens) or "none"
        raise CourseError(f"tokenizer: expected the special token {END}, got {known}. Fix: use it")
    return tokenizer.special_tokens[END]


def generated_texts(recipe: TrainRecipe, split: Split) -> Iterator[str]:
    """The texts of the tiny world that a recipe asks for."""
    n_bytes = recipe.data.n_bytes if split == "train" else recipe.data.held_out_bytes
    for document in documents(n_bytes, recipe.seed, split):
        yield document.text


def _generate(recipe: TrainRecipe, folder: Path) -> None:
    """Make the text, learn the tokenizer from its beginning, and write both splits as tokens."""
    texts = list(generated_texts(recipe, "train"))
    n_first, n_bytes = 0, 0
    while n_first < len(texts) and n_bytes < recipe.data.tokenizer_bytes:
        n_bytes += len(texts[n_first].encode())
        n_first += 1
    tokenizer = train_bpe(islice(texts, n_first), recipe.data.vocab_size, special_tokens=[END])
    save(tokenizer, folder / TOKENIZER)
    end, size = tokenizer.special_tokens[END], len(tokenizer)
    for split in _SPLITS:
        read = texts if split == "train" else generated_texts(recipe, split)
        ids = ([*tokenizer.encode(text), end] for text in read)
        shard = write_shard(folder / split, "shard-00000", ids, size)
        write_index(folder / split, [shard], size, end=end)
    # The last file: with it the folder is complete.
    write_index(folder, [], size, recipe=_made_from(recipe))


def _made_from(recipe: TrainRecipe) -> dict[str, int]:
    """What generated data depends on."""
    return {
        "seed": recipe.seed,
        "n_bytes": recipe.data.n_bytes,
        "held_out_bytes": recipe.data.held_out_bytes,
        "tokenizer_bytes": recipe.data.tokenizer_bytes,
        "vocab_size": recipe.data.vocab_size,
    }


def _built(recipe: TrainRecipe, context_length: int) -> Corpus:
    folder = Path(recipe.data.tokens)
    stream = TokenStream(folder / "shards")
    cut = len(stream) - recipe.data.held_out_tokens
    return Corpus(
        tokenizer=load(folder / TOKENIZER),
        train=Rows(stream, context_length, 0, cut),
        held_out=Rows(stream, context_length, max(0, cut)),
        sha256=digest(folder / TOKENIZER, folder / "shards"),
    )
