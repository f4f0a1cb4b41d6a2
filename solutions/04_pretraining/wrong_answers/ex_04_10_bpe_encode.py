"""Plausible wrong answers to ex-04-10, encoding with BPE."""

from itertools import pairwise


def _bytes_of(merges):
    spelled = {i: bytes([i]) for i in range(256)}
    for k, (left, right) in enumerate(merges):
        spelled[256 + k] = spelled[left] + spelled[right]
    return spelled


def longest_token_first(text, merges):
    """The longest token that fits is taken from the left, as WordPiece does."""
    spelled, data, ids = _bytes_of(merges), text.encode(), []
    while data:
        fits = [i for i, token in spelled.items() if data.startswith(token)]
        best = max(fits, key=lambda i: len(spelled[i]))
        ids.append(best)
        data = data[len(spelled[best]) :]
    return ids


def leftmost_pair_first(text, merges):
    """The first pair in the text that can merge does, whenever it was learned."""
    rank = {tuple(pair): k for k, pair in enumerate(merges)}
    ids = list(text.encode())
    while found := [i for i, pair in enumerate(pairwise(ids)) if pair in rank]:
        at = found[0]
        ids[at : at + 2] = [256 + rank[ids[at], ids[at + 1]]]
    return ids


def latest_learned_first(text, merges):
    """The ranks are read the wrong way: the last learned pair merges first."""
    rank = {tuple(pair): k for k, pair in enumerate(merges)}
    ids = list(text.encode())
    while found := [pair for pair in pairwise(ids) if pair in rank]:
        best = max(found, key=rank.get)
        at = list(pairwise(ids)).index(best)
        ids[at : at + 2] = [256 + rank[best]]
    return ids


def each_merge_once(text, merges):
    """Each merge is applied at one place only."""
    ids = list(text.encode())
    for k, pair in enumerate(merges):
        places = [i for i, found in enumerate(pairwise(ids)) if found == tuple(pair)]
        if places:
            ids[places[0] : places[0] + 2] = [256 + k]
    return ids


def characters_not_bytes(text, merges):
    """The text begins as code points, which are bytes only in ASCII."""
    rank = {tuple(pair): k for k, pair in enumerate(merges)}
    ids = [ord(character) for character in text]
    while found := [pair for pair in pairwise(ids) if pair in rank]:
        best = min(found, key=rank.get)
        at = list(pairwise(ids)).index(best)
        ids[at : at + 2] = [256 + rank[best]]
    return ids


def one_round(text, merges):
    """The bytes are merged once over, and what merges could follow is not looked at."""
    rank = {tuple(pair): k for k, pair in enumerate(merges)}
    ids, at, new = list(text.encode()), 0, []
    while at < len(ids):
        k = rank.get(tuple(ids[at : at + 2]))
        new.append(ids[at] if k is None else 256 + k)
        at += 1 if k is None else 2
    return new


def the_rightmost_of_equals(text, merges):
    """Of equal pairs the last one merges first: a a a becomes a aa."""
    rank = {tuple(pair): k for k, pair in enumerate(merges)}
    ids = list(text.encode())
    while found := [(rank[pair], -i) for i, pair in enumerate(pairwise(ids)) if pair in rank]:
        k, at = min(found)
        ids[-at : -at + 2] = [256 + k]
    return ids


def numbered_from_257(text, merges):
    """The order is right, but merge 0 makes 257: a place is kept for a special token."""
    rank = {tuple(pair): k for k, pair in enumerate(merges)}
    ids = list(text.encode())
    while found := [pair for pair in pairwise(ids) if pair in rank]:
        best = min(found, key=rank.get)
        at = list(pairwise(ids)).index(best)
        ids[at : at + 2] = [257 + rank[best]]
    return ids
