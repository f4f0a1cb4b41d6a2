"""What a constant answer scores: the figure that any result on these tasks is read against."""

from collections import Counter
from collections.abc import Iterable


def majority_baseline(
    answers: Iterable[tuple[str, str]],
) -> dict[str, tuple[str, float]]:
    """The commonest answer of each kind, and how often it is right.

    Args:
        answers: pairs (kind, answer).

    Raises:
        ValueError: there are no answers.

    >>> majority_baseline([("yes_no", "yes"), ("yes_no", "no"), ("yes_no", "no")])
    {'yes_no': ('no', 0.6666666666666666)}
    """
    counts: dict[str, Counter[str]] = {}
    for kind, answer in answers:
        counts.setdefault(kind, Counter())[answer] += 1
    if not counts:
        raise ValueError("answers: expected at least one, got none.")
    commonest = {kind: counter.most_common(1)[0] for kind, counter in counts.items()}
    return {kind: (answer, n / counts[kind].total()) for kind, (answer, n) in commonest.items()}
