"""Learning the merges of byte-level BPE from texts.

Words are counted first and each distinct word is handled once. While merging, an index knows the
words that hold each pair, so a merge touches only them, and a heap knows the commonest pair. What
it learns is, merge for merge, what Hugging Face's ``BpeTrainer`` learns, ties included.

Source:
    Sennrich et al. 2016, arXiv:1508.07909, section 3.2.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from heapq import heapify, heappop, heappush
from itertools import pairwise
from operator import add

from llm_course.tokenizers.base import each_text
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.byte_level import (
    GPT2_SPLIT,
    byte_characters,
    split_words,
    utf8,
)
from llm_course.tokenizers.fast_split import split_stretches

# A heap entry: minus the count of a pair, the pair, the words it was seen in. The heap gives the
# smallest: the highest count, then the pair of the lowest ids.
_Entry = tuple[int, str, list[int]]


def train_bpe(
    texts: Iterable[str],
    vocab_size: int,
    *,
    pre_split: str = GPT2_SPLIT,
    special_tokens: Collection[str] = (),
    min_count: int = 1,
) -> ByteLevelBPE:
    """Learn a byte-level BPE tokenizer.

    The special tokens have the first ids, the 256 bytes the next ones, in the order of their
    characters, then come the merges. Training stops early when no pair is left.

    Args:
        texts: the corpus.
        vocab_size: number of tokens, special ones included.
        pre_split: the rule that cuts text into words.
        special_tokens: tokens that stand for themselves; they are not looked for in the texts.
        min_count: pairs rarer than this are not merged.

    Raises:
        ValueError: the corpus is empty, ``vocab_size`` has no room for the bytes and the special
            tokens or is beyond a million, or a special token is named twice or is a byte.

    >>> tokenizer = train_bpe(["low lower lowest"], vocab_size=259)
    >>> tokenizer.merges
    [('l', 'o'), ('lo', 'w'), ('Ġ', 'low')]
    """
    first = [*special_tokens, *sorted(byte_characters())]
    _check(vocab_size, first, special_tokens)
    counts = count_words(texts, pre_split)
    if not counts:
        raise ValueError("texts: expected some text, got none. Fix: give at least one word")
    vocabulary = {token: token_id for token_id, token in enumerate(first)}
    merges = learn_merges(counts, vocabulary, vocab_size, min_count)
    return ByteLevelBPE(vocabulary, merges, pre_split, special_tokens)


def count_words(texts: Iterable[str], pre_split: str = GPT2_SPLIT) -> Counter[str]:
    """How often each word occurs.

    >>> count_words(["a rose is", " a rose"])
    Counter({' rose': 2, 'a': 1, ' is': 1, ' a': 1})
    """
    stretches: Counter[str] = Counter()
    for text in each_text(texts):
        stretches.update(split_stretches(text, pre_split))
    foreign = [stretch for stretch in stretches if not stretch.isascii()]
    for stretch in foreign:
        count = stretches.pop(stretch)
        for word in split_words(stretch, pre_split):
            stretches[word] += count
    return stretches


def learn_merges(
    counts: Mapping[str, int], vocabulary: dict[str, int], vocab_size: int, min_count: int = 1
) -> list[tuple[str, str]]:
    """Merge the commonest pair until the vocabulary is full; new tokens are added to it.

    A word is kept as a text whose characters are token ids, so that ``str.partition`` finds a pair
    and a pair sorts by its two ids.

    Args:
        counts: how often each word occurs.
        vocabulary: the first tokens, all bytes among them; grows to ``vocab_size``.
        vocab_size: where to stop.
        min_count: rarer pairs are not merged.

    >>> vocabulary = {character: byte for byte, character in enumerate(byte_characters())}
    >>> learn_merges({"aba": 3, "ba": 2}, vocabulary, vocab_size=258)
    [('b', 'a'), ('a', 'ba')]
    """
    to_ids = {byte: vocabulary[character] for byte, character in enumerate(byte_characters())}
    words = [utf8(word).decode("latin-1").translate(to_ids) for word in counts]
    times = list(counts.values())
    pair_counts: dict[str, int] = defaultdict(int)
    heap = _count_pairs(words, times, pair_counts)
    token_of = list(vocabulary)
    merges: list[tuple[str, str]] = []
    while len(vocabulary) < vocab_size and heap:
        negative, pair, where = heappop(heap)
        count = pair_counts[pair]
        if count != -negative:  # Other merges have taken some of its places since.
            heappush(heap, (-count, pair, where))
            continue
        if count < max(min_count, 1):
            break
        merge = token_of[ord(pair[0])], token_of[ord(pair[1])]
        merges.append(merge)
        token = "".join(merge)  # Two merges can make one token: ab + c and a + bc.
        new_id = vocabulary.setdefault(token, len(vocabulary))
        if new_id == len(token_of):
            token_of.append(token)
        for entry in _merge(pair, chr(new_id), where, words, times, pair_counts):
            heappush(heap, entry)
    # A pair that was learned twice, for a token that two merges make, counts from its second place.
    return list(dict.fromkeys(reversed(merges)))[::-1]


def _count_pairs(words: list[str], times: list[int], pair_counts: dict[str, int]) -> list[_Entry]:
    """Count the neighbours in all words; the heap of them."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, word in enumerate(words):
        for pair in map(add, word, word[1:]):
            places[pair].append(place)  # Once for each time it is in the word.
    for pair, where in places.items():
        pair_counts[pair] = sum(map(times.__getitem__, where))
    heap = [(-pair_counts[pair], pair, where) for pair, where in places.items()]
    heapify(heap)
    return heap


def _merge(
    pair: str,
    new: str,
    where: list[int],
    words: list[str],
    times: list[int],
    pair_counts: dict[str, int],
) -> Iterator[_Entry]:
    """Merge a pair in the words that hold it; the entries of the pairs that arise.

    With ``x`` before it and ``y`` behind, ``x a b y`` becomes ``x ab y``: the pairs ``x a`` and
    ``b y`` lose what ``x ab`` and ``ab y`` gain.
    """
    before: dict[str, list[int]] = defaultdict(list)
    behind: dict[str, list[int]] = defaultdict(list)
    twice: list[int] = []  # a b a b: the pair `b a` is lost, and `ab ab` gained.
    for place in where:
        pieces = words[place].split(pair)
        if len(pieces) == 2:
            head, tail = pieces
            words[place] = head + new + tail
            if head:
                before[head[-1]].append(place)
            if tail:
                behind[tail[0]].append(place)
        elif len(pieces) > 2:
            words[place] = new.join(pieces)
            for head, tail in pairwise(pieces):
                if head:
                    before[head[-1]].append(place)
                if tail:
                    behind[tail[0]].append(place)
            twice.extend([place] * pieces[1:-1].count(""))
    yield from _entries(pair, new, (before, behind, twice), times, pair_counts)


def _entries(
    pair: str,
    new: str,
    found: tuple[dict[str, list[int]], dict[str, list[int]], list[int]],
    times: list[int],
    pair_counts: dict[str, int],
) -> Iterator[_Entry]:
    """Count what a merge changed; the entries of the pairs that arose."""
    left, right = pair
    before, behind, twice = found
    changes = [(token + left, token + new, places) for token, places in before.items()]
    changes += [(right + token, new + token, places) for token, places in behind.items()]
    if twice:
        changes.append((right + left, new + new, twice))
    arose: dict[str, list[int]] = {}
    for old_pair, new_pair, places in changes:
        total = sum(map(times.__getitem__, places))
        pair_counts[old_pair] -= total
        pair_counts[new_pair] += total
        arose[new_pair] = arose[new_pair] + places if new_pair in arose else places
    if twice:  # From the left, `a b a b` is `ab a b` for a moment.
        arose[new + left] = arose.get(new + left, []) + twice
    for new_pair, places in arose.items():
        if pair_counts[new_pair] > 0:
            yield -pair_counts[new_pair], new_pair, places


def _check(vocab_size: int, first: list[str], special_tokens: Collection[str]) -> None:
    if len(set(first)) != len(first) or "" in first:
        raise ValueError(
            f"special_tokens: expected distinct texts that are no byte character, got "
            f"{list(special_tokens)}."
        )
    if not len(first) <= vocab_size <= sys.maxunicode:
        raise ValueError(
            f"vocab_size: expected {len(first)} (256 bytes and {len(special_tokens)} special "
            f"tokens) to {sys.maxunicode}, got {vocab_size}. Fix: choose one of that range"
        )
