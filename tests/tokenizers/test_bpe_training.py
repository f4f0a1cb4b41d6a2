"""Training of byte-level BPE against Hugging Face's Rust trainer, merge for merge."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers

from llm_course.tokenizers.bpe_training import count_words, learn_merges, train_bpe
from llm_course.tokenizers.byte_level import (
    CL100K_SPLIT,
    SMOLLM_SPLIT,
    byte_characters,
    split_words,
)


@pytest.mark.parametrize("name", ["wiki_en", "python"])
def test_merges_are_the_references(name: str, corpus, reference_bpe) -> None:
    texts = corpus(name, 300_000)
    merges, vocabulary = reference_bpe(texts, 4_000, special=("<end>", "<pad>"))
    ours = train_bpe(texts, 4_000, special_tokens=["<end>", "<pad>"])
    assert ours.merges == merges
    assert ours.vocabulary == vocabulary
    assert len(merges) == 4_000 - 256 - 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wiki_en", "wiki_fr", "python"])
def test_merges_are_the_references_on_megabytes(name: str, corpus, reference_bpe) -> None:
    texts = corpus(name, 8_000_000)
    merges, vocabulary = reference_bpe(texts, 8_192)
    ours = train_bpe(texts, 8_192)
    assert ours.merges == merges
    assert ours.vocabulary == vocabulary


def test_merges_are_the_references_with_other_splits(corpus, reference_bpe) -> None:
    texts = corpus("python", 100_000)
    cl100k = pre_tokenizers.Split(Regex(CL100K_SPLIT), "isolated")
    assert (
        train_bpe(texts, 1_000, pre_split=CL100K_SPLIT).merges
        == reference_bpe(texts, 1_000, cl100k)[0]
    )
    smollm = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    ours = train_bpe(texts, 1_000, pre_split=SMOLLM_SPLIT)
    # Their trainer writes bytes twice if ByteLevel comes twice, so compare the words, too.
    words = Counter(word for text in texts for word in split_words(text, SMOLLM_SPLIT))
    assert count_words(texts, SMOLLM_SPLIT) == words
    spans = Counter(
        text[start:end] for text in texts for _, (start, end) in smollm.pre_tokenize_str(text)
    )
    assert words == spans
    assert not any(sum(c.isdigit() for c in token) > 1 for token in ours.vocabulary)


@given(st.lists(st.text(alphabet="ab ", min_size=1, max_size=40), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_ties_and_runs_are_the_references(reference_bpe, texts: list[str]) -> None:
    """Few letters give many ties and overlaps; with this size training runs dry."""
    merges, vocabulary = reference_bpe(texts, 400)
    ours = train_bpe(texts, 400)
    assert ours.merges == merges
    assert ours.vocabulary == vocabulary


@given(st.lists(st.text(alphabet="abc", max_size=9), min_size=1, max_size=6))
@settings(deadline=None)
def test_each_merge_is_the_commonest_pair(words: list[str]) -> None:
    """Counting every pair anew for each merge; ties are left to the test above."""
    counts = Counter(word for word in words if word)
    vocabulary = {character: byte for byte, character in enumerate(byte_characters())}
    segmented = {word: list(word) for word in counts}
    for left, right in learn_merges(counts, vocabulary, 266):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, count in counts.items():
            for pair in pairwise(segmented[word]):
                pairs[pair] += count
        assert pairs[left, right] == max(pairs.values())
        for pieces in segmented.values():
            at = 0
            while at < len(pieces) - 1:
                if pieces[at : at + 2] == [left, right]:
                    pieces[at : at + 2] = [left + right]
                at += 1


@given(st.text(), st.sampled_from([SMOLLM_SPLIT, CL100K_SPLIT]))
@settings(deadline=None)
def test_any_text_comes_back_from_a_trained_tokenizer(text: str, split: str) -> None:
    tokenizer = train_bpe(["some words, some more; 12 12 some\n\n"], 280, pre_split=split)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_rare_pairs_may_be_left_alone() -> None:
    assert train_bpe(["ab ab cd"], 300, min_count=2).merges == [("a", "b")]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"texts": [], "vocab_size": 300}, ValueError, "got none"),
        ({"texts": ["", ""], "vocab_size": 300}, ValueError, "got none"),
        ({"texts": ["a"], "vocab_size": 255}, ValueError, "expected 256 .* got 255"),
        (
            {"texts": ["a"], "vocab_size": 256, "special_tokens": ["<s>"]},
            ValueError,
            "1 special",
        ),
        ({"texts": ["a"], "vocab_size": 2**21}, ValueError, "to 1114111, got 2097152"),
        (
            {"texts": ["a"], "vocab_size": 300, "special_tokens": ["<s>", "<s>"]},
            ValueError,
            "distinct",
        ),
        ({"texts": ["a"], "vocab_size": 300, "special_tokens": ["a"]}, ValueError, "distinct"),
        ({"texts": ["a"], "vocab_size": 300, "special_tokens": [""]}, ValueError, "distinct"),
        ({"texts": "a text", "vocab_size": 300}, TypeError, r"Fix: \[text\]"),
        ({"texts": [b"a"], "vocab_size": 300}, TypeError, "got bytes"),
        ({"texts": ["a\ud800"], "vocab_size": 300}, ValueError, "surrogate"),
    ],
)
def test_bad_input_is_named(arguments: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        train_bpe(**arguments)
