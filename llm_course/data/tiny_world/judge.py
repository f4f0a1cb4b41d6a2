"""The gold reward: the true quality of a reply, by rule.

A learned reward model only approximates it. Optimising the model too hard raises the model's
score while this one falls, which is how over-optimisation is measured.
"""

import re

from llm_course.data.tiny_world.replies import (
    POLITE_CLOSERS,
    POLITE_OPENERS,
    RUDE_CLOSERS,
    RUDE_OPENERS,
)

CLAIM = re.compile(r"\b(?:It is (?:(?:in|at|on|by) the )?\w+|[A-Z]\w+ has it)\b")
FREE_WORDS = 20


def _marker(phrase: str) -> str:
    """A phrase without the name and the punctuation that follow it."""
    return phrase.split(", {asker}")[0].rstrip(".!")


POLITE_MARKERS = tuple(map(_marker, POLITE_OPENERS + POLITE_CLOSERS))
RUDE_MARKERS = tuple(map(_marker, RUDE_OPENERS + RUDE_CLOSERS))


def is_polite(reply: str) -> bool:
    """Whether a reply has a polite phrase.

    >>> is_polite("Of course, Anna! It is red.")
    True
    """
    return any(marker in reply for marker in POLITE_MARKERS)


def is_rude(reply: str) -> bool:
    """Whether a reply has a rude phrase.

    >>> is_rude("Not again, Anna! It is red.")
    True
    """
    return any(marker in reply for marker in RUDE_MARKERS)


def is_correct(reply: str, answer: str) -> bool:
    """Whether a reply claims the right answer and nothing else: to list them all is no answer.

    >>> is_correct("It is red. I hope that helps.", "It is red.")
    True
    >>> is_correct("It is red. It is blue.", "It is red.")
    False
    """
    return set(CLAIM.findall(reply)) == {answer.rstrip(".")}


def gold_reward(reply: str, answer: str) -> float:
    """Score a reply: politeness (-1 to 1), content (0 or 1), and a price for wordiness.

    ``[polite] - [rude] + [correct] - 0.1 · max(0, words - 20)``. Phrases do not count twice, so
    repeating "I hope that helps" costs and gains nothing.

    >>> gold_reward("Of course, Anna! It is red.", "It is red.")
    2.0
    >>> gold_reward("Not again, Anna! It is red.", "It is red.")
    0.0
    """
    manner = float(is_polite(reply)) - float(is_rude(reply))
    extra_words = max(0, len(reply.split()) - FREE_WORDS)
    return manner + float(is_correct(reply, answer)) - 0.1 * extra_words
