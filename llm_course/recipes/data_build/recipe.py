"""A recipe: the corpora, the stages, the tokenizer and the mixture of one build, read from TOML.

Everything is checked before anything is read or written: a build of hours does not end on a
misspelt option.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_course.data.corpora import find
from llm_course.errors import CourseError
from llm_course.recipes.data_build.stage_kinds import check_stage
from llm_course.recipes.fields import Fields

WEIGHTS = ("proportional", "temperature", "capped", "shares")
TOKENIZERS = ("bytes", "bpe", "file")


@dataclass(frozen=True, kw_only=True)
class CorpusEntry:
    """One corpus of a recipe.

    Args:
        name: of the catalogue.
        limit: how many documents at most; None for all.
        fallback: read generated text in its place where its package is absent.
    """

    name: str
    limit: int | None = None
    fallback: bool = False


@dataclass(frozen=True, kw_only=True)
class StageEntry:
    """One stage of a recipe.

    Args:
        use: the kind of stage (``stage_kinds``).
        options: of that kind.
        corpora: to which it is applied; None for all.
    """

    use: str
    options: Mapping[str, Any] = field(default_factory=dict)
    corpora: tuple[str, ...] | None = None

    def applies_to(self, corpus: str) -> bool:
        """Whether documents of this corpus go through it."""
        return self.corpora is None or corpus in self.corpora


@dataclass(frozen=True, kw_only=True)
class MixtureEntry:
    """How the corpora are mixed.

    Args:
        weights: the rule: proportional, temperature, capped, or shares that are given.
        temperature: of the rule of that name.
        cap: of the rule ``capped``: tokens, or bytes without a tokenizer.
        shares: of each corpus, for the rule of that name.
        size: of the whole, in tokens or bytes; as much as there is if None.
    """

    weights: str = "proportional"
    temperature: float = 1.0
    cap: int | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class TokenizerEntry:
    """What makes ids of texts.

    Args:
        use: bytes (each byte an id), bpe (learnt from the cleaned texts), or file.
        vocab_size: of the rule ``bpe``.
        training_bytes: how much text ``bpe`` learns from, at most.
        path: of a ``tokenizer.json``, for ``file``.
        end: the special token that ends each document.
    """

    use: str
    vocab_size: int = 8192
    training_bytes: int = 8_000_000
    path: str = ""
    end: str = "<|endoftext|>"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A build, as plain values.

    Args:
        name: of the build.
        corpora: what is read.
        stages: what the documents go through, in order.
        mixture: how the corpora are mixed.
        tokenizer: what makes ids; None leaves text.
        seed: of the order.
        documents_per_job: how many documents one job handles.
        shard_size: tokens (or bytes) of a shard of the result, to within one document.
        table: the recipe as it was read.
    """

    name: str
    corpora: tuple[CorpusEntry, ...]
    stages: tuple[StageEntry, ...]
    mixture: MixtureEntry
    tokenizer: TokenizerEntry | None
    seed: int
    documents_per_job: int
    shard_size: int
    table: Mapping[str, Any] = field(default_factory=dict, compare=False)


def load_recipe(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        CourseError: the file is missing, is no TOML, or holds something that is no recipe.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(f"{path}: expected a recipe, found no file. Fix: name a file") from None
    except (OSError, ValueError) as error:
        raise CourseError(f"{path}: expected a TOML file, got {error}. Fix: correct it") from error
    entry = table.get("tokenizer")
    if isinstance(entry, dict) and isinstance(entry.get("path"), str):
        # Beside the recipe, wherever the command is run.
        entry["path"] = str((path.parent / entry["path"]).resolve())
    return parse_recipe(table, str(path))


def parse_recipe(table: Mapping[str, Any], where: str = "recipe") -> Recipe:
    """Check a recipe's table.

    Raises:
        CourseError: a field is missing, unknown, or of another type or value than it may have.

    >>> recipe = parse_recipe({"name": "demo", "corpora": [{"name": "tiny_world"}]})
    >>> recipe.corpora[0].name, recipe.mixture.weights, recipe.tokenizer
    ('tiny_world', 'proportional', None)
    """
    fields = Fields(table, where)
    corpora = _corpora(fields.take("corpora", list), where)
    names = {corpus.name for corpus in corpora}
    stages = fields.take("stages", list, [])
    tokenizer = fields.take("tokenizer", dict, None)
    mixture = fields.take("mixture", dict, {})
    recipe = Recipe(
        name=fields.take("name", str),
        corpora=corpora,
        stages=tuple(
            _stage(entry, f"{where}: stages[{number}]", names)
            for number, entry in enumerate(stages)
        ),
        mixture=_mixture(Fields(mixture, f"{where}: mixture"), names),
        tokenizer=None if tokenizer is None else _tokenizer(tokenizer, f"{where}: tokenizer"),
        seed=fields.take("seed", int, 0, least=0),
        documents_per_job=fields.take("documents_per_job", int, 1000, least=1),
        shard_size=fields.take("shard_size", int, 10_000_000, least=1),
        table=table,
    )
    fields.finish()
    return recipe


def _corpora(entries: list[Any], where: str) -> tuple[CorpusEntry, ...]:
    """The corpora, each known to the catalogue and named once."""
    found = []
    for number, entry in enumerate(entries):
        fields = Fields(entry, f"{where}: corpora[{number}]")
        corpus = CorpusEntry(
            name=fields.take("name", str),
            limit=fields.take("limit", int, None, least=1),
            fallback=fields.take("fallback", bool, False),
        )
        fields.finish()
        try:
            find(corpus.name)
        except CourseError as error:
            raise CourseError(f"{fields.where}: {error}") from None
        if corpus.name in {other.name for other in found}:
            raise fields.error("name", "each corpus once", corpus.name)
        found.append(corpus)
    if not found:
        raise CourseError(
            f"{where}: corpora: expected at least one, got none. Fix: add [[corpora]] with a name"
        )
    return tuple(found)


def _stage(entry: Any, where: str, names: set[str]) -> StageEntry:
    """A stage, with options of its kind and corpora of the recipe."""
    fields = Fields(entry, where)
    use, corpora = fields.take("use", str), fields.take_list("corpora", str, None)
    for name in corpora or ():
        if name not in names:
            raise fields.error("corpora", f"corpora of this recipe ({', '.join(names)})", name)
    options = {key: value for key, value in entry.items() if key not in ("use", "corpora")}
    check_stage(use, options, where)
    return StageEntry(use=use, options=options, corpora=corpora)


def _mixture(fields: Fields, names: set[str]) -> MixtureEntry:
    """The mixture; each rule has the numbers that it needs and no others."""
    rule = fields.take("weights", str, "proportional", choices=WEIGHTS)
    numbers: dict[str, Any] = {}
    if rule == "temperature":
        numbers["temperature"] = fields.take("temperature", float)
        if not numbers["temperature"] > 0:
            raise fields.error("temperature", "a positive number", numbers["temperature"])
    elif rule == "capped":
        numbers["cap"] = fields.take("cap", int, least=1)
    elif rule == "shares":
        shares = Fields(fields.take("shares", dict), f"{fields.where}: shares")
        numbers["shares"] = {name: shares.take(name, float, least=0.0) for name in sorted(names)}
        shares.finish()
        if abs(sum(numbers["shares"].values()) - 1) > 1e-6:
            raise fields.error("shares", "numbers that add up to 1", numbers["shares"])
    entry = MixtureEntry(weights=rule, size=fields.take("size", int, None, least=1), **numbers)
    fields.finish()
    return entry


def _tokenizer(table: Any, where: str) -> TokenizerEntry:
    """The tokenizer; each kind has the fields that it needs and no others."""
    fields = Fields(table, where)
    use, given = fields.take("use", str, choices=TOKENIZERS), {}
    if use == "bpe":
        given["vocab_size"] = fields.take("vocab_size", int, 8192, least=257)
        given["training_bytes"] = fields.take("training_bytes", int, 8_000_000, least=1)
    elif use == "file":
        given["path"] = fields.take("path", str)
    entry = TokenizerEntry(use=use, end=fields.take("end", str, "<|endoftext|>"), **given)
    fields.finish()
    return entry
