"""Reproduction cards: a claim that was put to the test, what came out, and how sure that is.

A notebook's cell ends with ``card(...)``. The page shows it as HTML, a terminal as text, and the
executed notebook keeps it as data, from which the book collects all cards on one page. All three
verdicts are shown alike: "not reproduced" is a result.
"""

import html
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal, get_args

from nbformat import NotebookNode

Verdict = Literal["reproduced", "not reproduced", "depends"]

MIME = "application/vnd.llm-course.card+json"

_ID = re.compile(r"card-\d\d(-[a-z0-9]+)+")
_HEADING = re.compile(r"^(?:\((?P<label>[\w.-]+)\)=\n+)?#{1,6} +(?P<title>.+?) *$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Card:
    """One claim and its verdict; made by `card`, which documents the fields."""

    id: str
    claim: str
    source: str
    protocol: str
    n: int
    estimate: float | str
    interval: tuple[float, float] | None
    verdict: Verdict

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"id: expected the form card-07-heads-differ, got {self.id!r}.")
        for name in ("claim", "source", "protocol"):
            if not str(getattr(self, name)).strip():
                raise ValueError(f"{name}: expected a sentence, got {getattr(self, name)!r}.")
        if self.verdict not in get_args(Verdict):
            known = ", ".join(map(repr, get_args(Verdict)))
            raise ValueError(f"verdict: expected one of {known}, got {self.verdict!r}.")
        if self.n < 1:
            raise ValueError(f"n: expected at least one observation, got {self.n}.")
        if self.interval is not None and not _ordered(*self.interval):
            raise ValueError(f"interval: expected (low, high), got {self.interval}.")

    @property
    def result(self) -> str:
        """The estimate with its interval."""
        if self.interval is None:
            return f"{_number(self.estimate)} (deterministic, no interval)"
        low, high = map(_number, self.interval)
        return f"{_number(self.estimate)} (interval {low} to {high})"

    def html(self) -> str:
        """The card as a labelled group; everything that came from outside is escaped."""
        rows = "".join(f"<dt>{k}</dt><dd>{_escaped(v)}</dd>" for k, v in self._rows())
        slug = self.verdict.replace(" ", "-")
        return (
            f'<div class="claim-card" id="{self.id}" role="group" '
            f'aria-labelledby="{self.id}-claim" data-verdict="{slug}">'
            f'<p class="claim-card-claim" id="{self.id}-claim">{_escaped(self.claim)}</p>'
            f'<p class="claim-card-verdict">Verdict: <strong>{self.verdict}</strong></p>'
            f"<dl>{rows}</dl></div>"
        )

    def __str__(self) -> str:
        lines = [f"Claim: {self.claim}", f"Verdict: {self.verdict}"]
        return "\n".join(lines + [f"{name}: {value}" for name, value in self._rows()])

    def _rows(self) -> list[tuple[str, str]]:
        """What stands below the verdict."""
        return [
            ("Result", self.result),
            ("Observations", f"{self.n:,}"),
            ("Protocol", self.protocol),
            ("Source", self.source),
        ]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        data = asdict(self) | {"interval": list(self.interval) if self.interval else None}
        return {"text/html": self.html(), "text/plain": str(self), MIME: data}


@dataclass(frozen=True, kw_only=True)
class CollectedCard:
    """A card with the place where it stands.

    Attributes:
        card: the card.
        notebook: the notebook's key.
        section: the heading it stands under.
        label: the target before that heading, empty when there is none.
    """

    card: Card
    notebook: str
    section: str
    label: str = ""


def card(
    *,
    claim: str,
    source: str,
    protocol: str,
    n: int,
    estimate: float | str,
    interval: tuple[float, float] | None,
    verdict: Verdict,
    id: str,
) -> Card:
    """Make a reproduction card; as the last value of a cell it is shown and collected.

    Args:
        claim: what is claimed, in one sentence.
        source: who claims it, with section or table.
        protocol: how it was tested here.
        n: how many independent observations the estimate rests on.
        estimate: what came out; a text where a number needs its unit or a comparison.
        interval: its interval, at 95 % unless the protocol says how else it was found; None for
            something exact or deterministic.
        verdict: ``reproduced``, ``not reproduced`` or ``depends``.
        id: the card's name, such as ``card-07-heads-differ``; unique in the course.

    Raises:
        ValueError: a field is empty or of another form.

    >>> print(card(claim="Rows sum to 1.", source="The deck, slide 3", protocol="All rows summed.",
    ...            n=12, estimate=1.0, interval=None, verdict="reproduced", id="card-07-rows"))
    Claim: Rows sum to 1.
    Verdict: reproduced
    Result: 1 (deterministic, no interval)
    Observations: 12
    Protocol: All rows summed.
    Source: The deck, slide 3
    """
    numbers = None if interval is None else (float(interval[0]), float(interval[1]))
    value = estimate if isinstance(estimate, str) else float(estimate)
    return Card(
        id=id,
        claim=claim,
        source=source,
        protocol=protocol,
        n=int(n),
        estimate=value,
        interval=numbers,
        verdict=verdict,
    )


def collect(executed: Iterable[NotebookNode]) -> list[CollectedCard]:
    """Every card of the executed notebooks, in their order.

    Raises:
        ValueError: two cards have one id.
    """
    found = [collected for notebook in executed for collected in _cards_of(notebook)]
    for name, count in Counter(collected.card.id for collected in found).items():
        if count > 1:
            places = ", ".join(c.notebook for c in found if c.card.id == name)
            raise ValueError(f"card id {name!r}: expected it once, got it in {places}.")
    return found


def render_cards_page(cards: Iterable[CollectedCard]) -> str:
    """The book's page of cards: MyST, grouped by chapter, each with a link to its section."""
    ordered = sorted(cards, key=lambda collected: collected.notebook)
    parts = [
        "# Reproduction cards",
        _summary([collected.card for collected in ordered]),
    ]
    for chapter, group in groupby(ordered, key=lambda collected: collected.notebook.split("/")[0]):
        parts.append(f"## Chapter {int(chapter[:2])}")
        for collected in group:
            parts += [collected.card.html(), f"Tested in {_link(collected)}."]
    return "\n\n".join(parts) + "\n"


def _cards_of(notebook: NotebookNode) -> Iterator[CollectedCard]:
    """The cards of one executed notebook."""
    path = str(notebook.metadata.get("llm_course", {}).get("path", ""))
    key = "/".join(path.removesuffix(".md").split("/")[-2:])
    section, label = "", ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for heading in _HEADING.finditer(cell.source):
                section, label = heading["title"], heading["label"] or ""
        for output in cell.get("outputs", []):
            fields = output.get("data", {}).get(MIME)
            if fields:
                interval = tuple(fields["interval"]) if fields["interval"] else None
                made = Card(**(fields | {"interval": interval}))
                yield CollectedCard(card=made, notebook=key, section=section, label=label)


def _summary(cards: list[Card]) -> str:
    """What the page is, and how many cards came out which way."""
    about = (
        "Each card is a claim from the slides or from a paper that a chapter put to the test: who "
        "claims it, how it was tested, on how many observations, and what came out. A claim that "
        "was not reproduced is as good a result as one that was."
    )
    if not cards:
        return f"{about}\n\nNo chapter has tested a claim yet."
    counts = Counter(card.verdict for card in cards)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in get_args(Verdict))
    return f"{about}\n\nClaims tested: {len(cards)} ({told})."


def _link(collected: CollectedCard) -> str:
    """A link to the section, or to its page when the section has no label."""
    section = re.sub(r"([\\`*_{}\[\]<>$])", r"\\\1", collected.section or collected.notebook)
    target = f"#{collected.label}" if collected.label else f"/{collected.notebook}"
    return f"[{section}]({target})"


def _number(value: float | str) -> str:
    """Four significant digits, or the text as it is.

    >>> _number(0.123456), _number(9272.0), _number("3× less")
    ('0.1235', '9272', '3× less')
    """
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _ordered(low: float, high: float) -> bool:
    """Whether these are two finite numbers in order."""
    return math.isfinite(low) and math.isfinite(high) and low <= high


def _escaped(text: str) -> str:
    """Text as HTML on one line, so that Markdown sees one block."""
    return html.escape(" ".join(text.split()))
