"""Find personal data in a text and put a mark in its place, or drop the document.

Scrubbing is idempotent: what it leaves holds nothing that the same rules would find. A match that
is taken away can uncover another beside it, so the search is repeated on the text with the found
parts blanked, until it finds no more.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from llm_course.data.documents import Document
from llm_course.data.privacy.rules import PrivacyRule, privacy_rules
from llm_course.data.stages import Kept, Outcome, Removed, Stage, each, with_text

# Every rule treats both brackets alike and reads neither: a blank acts as a replacement will.
BLANK = "["


@dataclass(frozen=True, order=True)
class Finding:
    """One piece of personal data: where it is in the original text. The data itself is not kept."""

    start: int
    end: int
    kind: str


def _matches(text: str, rules: Mapping[str, PrivacyRule]) -> Iterator[Finding]:
    """What one pass finds; of matches that overlap, that of the first rule, then the first."""
    taken = bytearray(len(text))
    for kind, rule in rules.items():
        for match in rule.pattern.finditer(text):
            start, end = match.span()
            if not any(taken[start:end]) and rule.check(match.group()):
                taken[start:end] = b"\1" * (end - start)
                yield Finding(start, end, kind)


def find_personal_data(text: str, rules: Mapping[str, PrivacyRule] | None = None) -> list[Finding]:
    """All findings, in order; none overlaps another.

    >>> find_personal_data("Write to ada@example.com.")
    [Finding(start=9, end=24, kind='email')]
    """
    rules = privacy_rules() if rules is None else rules
    findings: list[Finding] = []
    while found := list(_matches(text, rules)):
        findings += found
        text = _blanked(text, found)
    return sorted(findings)


def _blanked(text: str, findings: list[Finding]) -> str:
    """The text with every character of a finding blanked: all places stay where they are."""
    characters = list(text)
    for finding in findings:
        characters[finding.start : finding.end] = BLANK * (finding.end - finding.start)
    return "".join(characters)


def mark(kind: str) -> str:
    """What is put in the place of a finding.

    >>> mark("email")
    '[EMAIL]'
    """
    return f"[{kind.upper()}]"


def replaced(text: str, findings: list[Finding]) -> str:
    """The text with a mark in the place of each finding.

    >>> replaced("I am Ada Lovelace.", [Finding(5, 17, "name")])
    'I am [NAME].'
    """
    parts, at = [], 0
    for finding in findings:
        parts += [text[at : finding.start], mark(finding.kind)]
        at = finding.end
    return "".join([*parts, text[at:]])


@dataclass
class PrivacyReport:
    """What was found: counts by kind, and the places in each document by its id.

    It holds no personal data, so it may be kept when the originals are deleted.
    """

    counts: Counter[str] = field(default_factory=Counter)
    spans: dict[str, list[Finding]] = field(default_factory=dict)

    def add(self, document: Document, findings: list[Finding]) -> None:
        """Add the findings of one document."""
        if findings:
            self.counts.update(finding.kind for finding in findings)
            self.spans[document.id] = findings

    def as_dict(self) -> dict[str, object]:
        """The report as plain values, for JSON."""
        spans = {
            id: [[finding.start, finding.end, finding.kind] for finding in findings]
            for id, findings in self.spans.items()
        }
        return {"counts": dict(self.counts.most_common()), "spans": spans}


def scrub_personal_data(
    rules: Mapping[str, PrivacyRule] | None = None, report: PrivacyReport | None = None
) -> Stage:
    """The stage that puts a mark in the place of personal data, and counts them as edits.

    Args:
        rules: what to look for; all rules if None.
        report: where to note the places; nowhere if None.
    """
    rules = privacy_rules() if rules is None else rules

    def judge(document: Document) -> Outcome:
        findings = find_personal_data(document.text, rules)
        if report is not None:
            report.add(document, findings)
        if not findings:
            return Kept(document)
        counts = Counter(finding.kind for finding in findings)
        return Kept(with_text(document, replaced(document.text, findings)), counts)

    return each(judge)


def drop_personal_data(
    rules: Mapping[str, PrivacyRule] | None = None,
    report: PrivacyReport | None = None,
    most: int = 0,
) -> Stage:
    """The stage that removes a document with more than ``most`` pieces of personal data.

    The reason is the kind that it has most of. What is kept is not scrubbed.

    Raises:
        ValueError: ``most`` is negative.
    """
    if most < 0:
        raise ValueError(f"most: expected 0 or more, got {most}.")
    rules = privacy_rules() if rules is None else rules

    def judge(document: Document) -> Outcome:
        findings = find_personal_data(document.text, rules)
        if report is not None:
            report.add(document, findings)
        if len(findings) <= most:
            return Kept(document)
        kind = Counter(finding.kind for finding in findings).most_common(1)[0][0]
        return Removed(document, kind, f"{len(findings)} pieces of personal data")

    return each(judge)
