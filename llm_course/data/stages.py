"""The one shape of every step of data preparation, so that steps can be chained and reported.

A stage is a function from a stream of documents to a stream of outcomes: **one outcome for each
document, in the same order**, either ``Kept`` (perhaps edited) or ``Removed`` with its reason. A
stage may read ahead to work in batches, and may remember what it has seen; nothing else is asked
of it. What it did is counted outside, by ``follow``.

>>> def short(documents):
...     for document in documents:
...         yield Removed(document, "short") if len(document.text) < 4 else Kept(document)
>>> texts = ["Rome", "a", "Oslo"]
>>> found = [Document(id=f"demo/{i}", text=text, corpus="demo") for i, text in enumerate(texts)]
>>> kept, (report,) = chain({"short texts": short}, found)
>>> [document.text for document in kept], report.n_in, report.n_out, dict(report.removed)
(['Rome', 'Oslo'], 3, 2, {'short': 1})
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from llm_course.data.documents import Document

N_EXAMPLES = 5


@dataclass(frozen=True)
class Kept:
    """A document that goes on to the next stage.

    Args:
        document: as it goes on.
        edits: what was cut out of it or replaced in it: a reason and how many pieces.
    """

    document: Document
    edits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Removed:
    """A document that ends here.

    Args:
        document: as it came.
        reason: a short name that can be counted, such as ``too few words``.
        detail: the number or the other document that decided, for a person to read.
    """

    document: Document
    reason: str
    detail: str = ""


Outcome = Kept | Removed
Stage = Callable[[Iterable[Document]], Iterator[Outcome]]


@dataclass(kw_only=True)
class StageReport:
    """What one stage did. It holds counts and a few ids, never text, so that it may be published.

    Args:
        name: of the stage.
        n_in, n_out: documents that came and that went on.
        bytes_in, bytes_out: UTF-8 bytes of their texts.
        removed: documents removed, by reason.
        edits: pieces cut out or replaced in documents that went on, by reason.
        examples: the ids of the first documents removed for each reason.
    """

    name: str
    n_in: int = 0
    n_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    removed: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def count(self, outcome: Outcome) -> None:
        """Add one outcome."""
        if isinstance(outcome, Kept):
            self.n_out += 1
            self.bytes_out += outcome.document.n_bytes
            self.edits.update(outcome.edits)
            return
        self.removed[outcome.reason] += 1
        examples = self.examples.setdefault(outcome.reason, [])
        if len(examples) < N_EXAMPLES:
            examples.append(outcome.document.id)

    def as_dict(self) -> dict[str, object]:
        """The report as plain values, for JSON; reasons in order of their counts."""
        return {
            **{key: getattr(self, key) for key in ("name", "n_in", "n_out")},
            **{key: getattr(self, key) for key in ("bytes_in", "bytes_out")},
            "removed": dict(self.removed.most_common()),
            "edits": dict(self.edits.most_common()),
            "examples": {reason: list(ids) for reason, ids in self.examples.items()},
        }


def merged(first: StageReport, second: StageReport) -> StageReport:
    """The report of two parts of a corpus that went through the same stage one after the other.

    Raises:
        ValueError: they are of different stages.

    >>> merged(StageReport(name="a", n_in=2), StageReport(name="a", n_in=3)).n_in
    5
    """
    if first.name != second.name:
        raise ValueError(f"second: expected a report of {first.name!r}, got {second.name!r}.")
    reasons = [*first.examples, *(key for key in second.examples if key not in first.examples)]
    examples = {
        key: [*first.examples.get(key, []), *second.examples.get(key, [])][:N_EXAMPLES]
        for key in reasons
    }
    return StageReport(
        name=first.name,
        n_in=first.n_in + second.n_in,
        n_out=first.n_out + second.n_out,
        bytes_in=first.bytes_in + second.bytes_in,
        bytes_out=first.bytes_out + second.bytes_out,
        removed=first.removed + second.removed,
        edits=first.edits + second.edits,
        examples=examples,
    )


def follow(stage: Stage, documents: Iterable[Document], report: StageReport) -> Iterator[Document]:
    """Give the documents that the stage keeps, and count all its outcomes in ``report``.

    The report is complete when the stream has been read to its end.
    """
    for outcome in stage(_counted(documents, report)):
        report.count(outcome)
        if isinstance(outcome, Kept):
            yield outcome.document


def _counted(documents: Iterable[Document], report: StageReport) -> Iterator[Document]:
    """The same documents, counted as they pass."""
    for document in documents:
        report.n_in += 1
        report.bytes_in += document.n_bytes
        yield document


def chain(
    stages: Mapping[str, Stage], documents: Iterable[Document]
) -> tuple[Iterator[Document], list[StageReport]]:
    """Send documents through stages, in order, one document at a time.

    Returns:
        The documents that all stages keep, and one report a stage, which fill as these are read.
    """
    reports = [StageReport(name=name) for name in stages]
    stream: Iterator[Document] = iter(documents)
    for stage, report in zip(stages.values(), reports, strict=True):
        stream = follow(stage, stream, report)
    return stream, reports


def with_text(document: Document, text: str) -> Document:
    """The same document with another text.

    >>> with_text(Document(id="demo/1", text="a", corpus="demo", topic="x"), "b").topic
    'x'
    """
    return replace(document, text=text)


def each(judge: Callable[[Document], Outcome]) -> Stage:
    """The stage that judges every document by itself.

    >>> stage = each(lambda document: Removed(document, "all"))
    >>> [outcome.reason for outcome in stage([Document(id="demo/1", text="a", corpus="demo")])]
    ['all']
    """

    def stage(documents: Iterable[Document]) -> Iterator[Outcome]:
        return map(judge, documents)

    return stage
