"""Stages that judge by a model, which is learnt from reference corpora when it is first needed.

A worker learns it once and keeps it; it is the same in every worker. A recipe is checked without
learning anything.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from llm_course.data.cleaning.byte_model import ByteModel
from llm_course.data.cleaning.classifier import (
    TextClassifier,
    classifier_filter,
    train_classifier,
)
from llm_course.data.cleaning.language import (
    CORPUS_OF,
    LanguageIdentifier,
    encyclopedia_identifier,
    language_filter,
)
from llm_course.data.cleaning.perplexity import perplexity_filter, quantile_bounds
from llm_course.data.cleaning.spoiled import boilerplate, shuffled
from llm_course.data.corpora import find, load
from llm_course.data.documents import Document
from llm_course.data.stages import Outcome, Stage
from llm_course.recipes.fields import Fields


def when_needed(make: Callable[[], Stage]) -> Stage:
    """The stage that is made when its first document comes.

    Args:
        make: makes it.
    """

    def stage(documents: Iterable[Document]) -> Iterator[Outcome]:
        return make()(documents)

    return stage


def language(fields: Fields) -> Stage:
    """Keep the languages that the recipe names, by the identifier of the encyclopedias."""
    keep = fields.take_list("keep", str)
    least = fields.take("least", float, 0.5, least=0.0)
    for code in keep:
        if code not in CORPUS_OF:
            raise fields.error("keep", f"languages of {', '.join(CORPUS_OF)}", code)
    return when_needed(lambda: language_filter(_identifier(), keep, least))


def perplexity(fields: Fields) -> Stage:
    """Keep what a byte model of a reference corpus finds as surprising as that corpus itself."""
    reference, n = _reference(fields)
    low = fields.take("low_quantile", float, 0.0, least=0.0)
    high = fields.take("high_quantile", float, 0.99, least=0.0)
    if not low < high <= 1:
        raise fields.error("low_quantile", f"a number below high_quantile = {high:g} <= 1", low)

    def make() -> Stage:
        model, texts = _byte_model(reference, n)
        return perplexity_filter(
            model.perplexity, *quantile_bounds(model.perplexity, texts, low, high)
        )

    return when_needed(make)


def quality_classifier(fields: Fields) -> Stage:
    """Keep what a classifier takes for text of a reference corpus and not for spoiled text."""
    reference, n = _reference(fields)
    least = fields.take("least", float, 0.5, least=0.0)
    return when_needed(lambda: classifier_filter(_classifier(reference, n), ["good"], least))


def _reference(fields: Fields) -> tuple[str, int]:
    """The corpus that a model learns from, and how many documents of it."""
    reference = fields.take("reference", str)
    find(reference)
    return reference, fields.take("documents", int, 2000, least=2)


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    return encyclopedia_identifier()


@lru_cache(maxsize=2)
def _byte_model(reference: str, n: int) -> tuple[ByteModel, list[str]]:
    """A model of every other document, and the documents between, which it has not seen."""
    texts = [document.text for document in load(reference, limit=n)]
    return ByteModel(texts[::2]), texts[1::2]


@lru_cache(maxsize=2)
def _classifier(reference: str, n: int) -> TextClassifier:
    """Documents of the reference against as many of shuffled words and of boilerplate."""
    good = [document.text for document in load(reference, limit=n)]
    bad = [
        shuffled(text, number) if number % 2 else boilerplate(number)
        for number, text in enumerate(good)
    ]
    labels = ["good"] * len(good) + ["bad"] * len(bad)
    return train_classifier(good + bad, labels)
