"""Plausible wrong answers to ex-10-10, prompt lookup."""


def earliest_place(text, n_tokens, longest):
    """The first place is taken, not the latest."""
    for n in range(longest, 0, -1):
        for start in range(len(text) - n):
            if text[start : start + n] == text[-n:]:
                return text[start + n : start + n + n_tokens]
    return []


def shortest_first(text, n_tokens, longest):
    """One token in common is enough, though more would be surer."""
    for n in range(1, longest + 1):
        for start in reversed(range(len(text) - n)):
            if text[start : start + n] == text[-n:]:
                return text[start + n : start + n + n_tokens]
    return []


def finds_itself(text, n_tokens, longest):
    """The end of the text is found at the end of the text, and nothing follows there."""
    for n in range(min(longest, len(text)), 0, -1):
        for start in reversed(range(len(text) - n + 1)):
            if text[start : start + n] == text[-n:]:
                return text[start + n : start + n + n_tokens]
    return []


def quotes_the_key(text, n_tokens, longest):
    """What was looked for is proposed, not what followed it."""
    for n in range(longest, 0, -1):
        for start in reversed(range(len(text) - n)):
            if text[start : start + n] == text[-n:]:
                return text[start : start + n_tokens]
    return []


def longest_alone(text, n_tokens, longest):
    """If the longest end is not found, shorter ones are not tried."""
    n = longest
    for start in reversed(range(len(text) - n)):
        if text[start : start + n] == text[-n:]:
            return text[start + n : start + n + n_tokens]
    return []


def no_overlap(text, n_tokens, longest):
    """An earlier place that overlaps the end is passed over."""
    for n in range(longest, 0, -1):
        for start in reversed(range(len(text) - 2 * n + 1)):
            if text[start : start + n] == text[-n:]:
                return text[start + n : start + n + n_tokens]
    return []
