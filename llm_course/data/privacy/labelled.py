"""Sentences whose personal data is known, and the precision and recall of rules on them.

Each sentence is a template filled with made-up values; the place of every personal one is written
down while the sentence is put together, so the truth does not depend on any rule. As many
sentences hold things that only look personal, and some personal data is written as no rule expects.

The rules of this package on 2,000 sentences of seed 0 (a test computes the table again):

====== ========= ======
kind   precision recall
====== ========= ======
email      1.000  1.000
card       0.955  1.000
ipv6       1.000  1.000
ipv4       0.746  1.000
phone      1.000  0.927
name       0.814  0.808
====== ========= ======

What is lost: versions of four numbers are taken for addresses, one order number in ten has a valid
checksum, seven-digit local numbers are not found, nor are people whose given name is not listed.

Leaves out what a template cannot show, the variety of real text: real figures will be lower.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from llm_course.data.privacy.scrub import Finding
from llm_course.data.privacy.values import HARMLESS, PERSONAL
from llm_course.data.tiny_world.chance import generator, pick

_PERSONAL_TEMPLATES = (
    "Write to {email} if you have questions.",
    "My address is {email}; call me at {phone}.",
    "Contact: {name} <{email}>",
    "Mail({email}), please!",
    "Phone: {phone}",
    "You can reach us at {phone}, from 9 to 5.",
    "Call {phone} or {phone} before {date}.",
    "The request came from {ipv4}.",
    "Blocked {ipv4}: too many attempts at {time}",
    "Host {ipv6} answered in 12 ms, {ipv4} did not.",
    "ping6 {ipv6}",
    "Server ({ipv6}) runs version {version}.",
    "Pay with {card}, valid until 12/29.",
    "Card number: {card}",
    "We charged {amount} to {card} on {date}.",
    "{name} lives next door to {name}.",
    "Yesterday {name} wrote the report about {place}.",
    'The winner is {name}," said the speaker.',
    "Dear {name}, your order {order_number} was sent.",
    "{name} ({phone}, {email}) signed on {date}.",
)
_HARMLESS_TEMPLATES = (
    "The order {order_number} arrived on {date}.",
    "The card {mistyped_card} was refused.",
    "Version {version} was released on {date} at {time}.",
    "Upgrade from {version} to {version}.",
    "The book, ISBN {isbn}, costs 20 dollars.",
    "The budget is {amount}, the result {amount}.",
    "In Python, {expression} means something else than in {expression}.",
    "We met near {place} at {time}.",
    "From {place} it is an hour to {place}.",
    "Chapter 3.1.4, pages 100-120, table 2.",
    "Write to me at ada (at) example (dot) com, or do not.",
    "The train leaves at {time} on {date} and at {time} on {date}.",
)
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class LabelledText:
    """A sentence and the places of its personal data."""

    text: str
    findings: tuple[Finding, ...]


def labelled_texts(n: int, seed: int = 0) -> list[LabelledText]:
    """n sentences, one half of them with personal data.

    >>> example = labelled_texts(1)[0]
    >>> all(0 <= f.start < f.end <= len(example.text) for f in example.findings)
    True
    """
    return [_filled(number, seed) for number in range(n)]


def _filled(number: int, seed: int) -> LabelledText:
    """One sentence: personal data in the even ones."""
    rng = generator("privacy", seed, number)
    template = pick(rng, _HARMLESS_TEMPLATES if number % 2 else _PERSONAL_TEMPLATES)
    text, at, findings = "", 0, []
    for slot in _SLOT.finditer(template):
        kind = slot.group(1)
        text += template[at : slot.start()]
        value = {**PERSONAL, **HARMLESS}[kind](rng)
        if kind in PERSONAL:
            findings.append(Finding(len(text), len(text) + len(value), kind))
        text += value
        at = slot.end()
    return LabelledText(text + template[at:], tuple(findings))


@dataclass(frozen=True, kw_only=True)
class DetectionScore:
    """How many findings were right, were none, and were missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """Of what was found, how much is personal data; 1 if nothing was found."""
        found = self.right + self.wrong
        return self.right / found if found else 1.0

    @property
    def recall(self) -> float:
        """Of the personal data, how much was found; 1 if there is none."""
        true = self.right + self.missed
        return self.right / true if true else 1.0


def score_detector(
    examples: Iterable[LabelledText], detect: Callable[[str], Iterable[Finding]]
) -> Mapping[str, DetectionScore]:
    """Precision and recall by kind; a finding is right if kind, start and end are.

    >>> example = LabelledText("a@b.org or c", (Finding(0, 7, "email"), Finding(11, 12, "name")))
    >>> scores = score_detector([example], lambda text: [Finding(0, 7, "email")])
    >>> scores["email"].recall, scores["name"].recall
    (1.0, 0.0)
    """
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for example in examples:
        true, found = set(example.findings), set(detect(example.text))
        right.update(finding.kind for finding in true & found)
        wrong.update(finding.kind for finding in found - true)
        missed.update(finding.kind for finding in true - found)
    return {
        kind: DetectionScore(right=right[kind], wrong=wrong[kind], missed=missed[kind])
        for kind in sorted(right | wrong | missed)
    }
