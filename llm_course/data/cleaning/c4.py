"""The rules of C4: lines that are no sentences are cut, pages that are no prose are removed.

First ``c4_lines``, then ``rule_filter(c4_pages(...))``: sentences are counted in what is left. The
list of blocked words is passed in; the course prints none. English alone, which C4 also asks for,
is in ``language``. Versions of the paper differ in two numbers; these, 3 sentences and 5 words a
line, are those of the code that made the corpus.

Leaves out that C4 keeps one of each run of three sentences that occurs again:
``deduplication.exact.duplicate_lines`` does so for lines.

Source:
    Raffel et al. 2020, *Exploring the Limits of Transfer Learning with a Unified Text-to-Text
    Transformer* (arXiv:1910.10683), section 2.2.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from types import MappingProxyType

from llm_course.data.cleaning.rules import Rule
from llm_course.data.documents import Document
from llm_course.data.stages import Kept, Outcome, Removed, Stage, each, with_text

TERMINAL_MARKS = (".", "!", "?", '"', "”", "»")
POLICY_PHRASES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
SENTENCE_END = re.compile(r"[.!?]+[\"'”’»)\]]*(?=\s|$)")
CITATION = re.compile(r"\[(?:[0-9]{1,4}|citation needed|edit)\]")


def no_terminal_mark(line: str) -> str | None:
    """A sentence ends with a full stop, an exclamation or question mark, or a closing quote.

    >>> no_terminal_mark("Home | About us")
    'ends with s'
    """
    line = line.rstrip()
    if not line:
        return "empty"
    return None if line.endswith(TERMINAL_MARKS) else f"ends with {line[-1]}"


def few_words(line: str, *, least: int = 5) -> str | None:
    """A line has at least five words.

    >>> few_words("Read this.")
    '2 words, expected 5 or more'
    """
    count = len(line.split())
    return None if count >= least else f"{count} words, expected {least} or more"


def mentions_javascript(line: str) -> str | None:
    """A line that asks for JavaScript is a warning of the page, not its text."""
    return "JavaScript" if "javascript" in line.lower() else None


def mentions_policy(line: str) -> str | None:
    """A line on cookies or on the terms of use is about the site."""
    lowered = line.lower()
    return next((phrase for phrase in POLICY_PHRASES if phrase in lowered), None)


C4_LINES: Mapping[str, Rule] = MappingProxyType(
    {
        "no terminal mark": no_terminal_mark,
        "few words": few_words,
        "JavaScript": mentions_javascript,
        "policy": mentions_policy,
    }
)


def c4_lines(rules: Mapping[str, Rule] = C4_LINES) -> Stage:
    """The stage that cuts every line that breaks a rule, and marks such as ``[1]``.

    Empty lines go without being counted. A document of which no line is left is removed.
    """

    def judge(document: Document) -> Outcome:
        lines, edits = [], Counter[str]()
        for line in document.text.splitlines():
            line, n_marks = CITATION.subn("", line)
            broken = next((name for name, rule in rules.items() if rule(line) is not None), None)
            if broken is None:
                lines.append(line)
                edits["citation mark"] += n_marks
            elif line.strip():
                edits[broken] += 1
        if not lines:
            return Removed(document, "no line left", ", ".join(edits))
        return Kept(with_text(document, "\n".join(lines)), +edits)

    return each(judge)


def few_sentences(text: str, *, least: int = 3) -> str | None:
    """A page has at least three sentences.

    >>> few_sentences("One. Two!")
    '2 sentences, expected 3 or more'
    """
    count = len(SENTENCE_END.findall(text))
    return None if count >= least else f"{count} sentences, expected {least} or more"


def placeholder_text(text: str) -> str | None:
    """A page with *lorem ipsum* was never filled."""
    return "lorem ipsum" if "lorem ipsum" in text.lower() else None


def curly_bracket(text: str) -> str | None:
    """A page with a curly bracket holds code, which C4 leaves out."""
    return "a curly bracket" if "{" in text else None


def blocked_word(words: Collection[str]) -> Rule:
    """The rule that a page holds none of these words, whole and in any case.

    >>> blocked_word(["darn"])("Darn it"), blocked_word(["darn"])("a darning needle")
    ('a blocked word', None)
    """
    blocked = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    pattern = re.compile(rf"(?<!\w)(?:{blocked})(?!\w)", re.IGNORECASE)

    def rule(text: str) -> str | None:
        return "a blocked word" if words and pattern.search(text) else None

    return rule


def c4_pages(blocked_words: Collection[str] = ()) -> dict[str, Rule]:
    """The rules on whole pages, for ``rule_filter``."""
    return {
        "lorem ipsum": placeholder_text,
        "curly bracket": curly_bracket,
        "blocked word": blocked_word(blocked_words),
        "few sentences": few_sentences,
    }
