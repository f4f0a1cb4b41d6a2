"""The stream: reproducible to the byte, rich enough, and clean of held-out combinations."""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from llm_course.data.tiny_world.splits import combination_split, pair_split
from llm_course.data.tiny_world.text import DEFAULT_MIX, documents, text
from llm_course.data.tiny_world.words import COLOURS, FOODS, NAMES, THINGS, plural

OBJECT_OF = {form: noun for noun in THINGS + FOODS for form in (noun, plural(noun))}
# Recorded results rest on this text: if it changes, they must be made again.
DIGESTS = {
    "train": "35f1591b7413dbbd0360133b85e5b41cb519dec7fbdd9f478c6e7d3e1b419662",
    "held_out": "f8736e932068e3eb6812967de362da8697a73f669c1c3d24552048ff969e6d8f",
}


@pytest.mark.parametrize("split", DIGESTS)
def test_the_text_never_changes(split):
    assert hashlib.sha256(text(20_000, 0, split).encode()).hexdigest() == DIGESTS[split]


def test_another_process_gives_the_same_text():
    code = "from llm_course.data.tiny_world.text import text; print(text(5000, 3), end='')"
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs == [text(5000, 3)] * 2


def test_it_has_more_than_300_words():
    counts = Counter(re.findall(r"[a-z]+", text(1_000_000, 0).lower()))
    assert sum(n >= 10 for n in counts.values()) > 400, "words that occur at least ten times"


@pytest.mark.parametrize("split", ["train", "held_out"])
def test_no_document_has_a_pair_of_the_other_split(split):
    """Read from the texts alone, whatever kind of document they are."""
    n_people = n_colours = n_numbers = 0
    for document in documents(1_500_000, 4, split):
        words = set(re.findall(r"\w+", document.text))
        things = {OBJECT_OF[word] for word in words & set(OBJECT_OF)}
        for name in words & set(NAMES):
            for thing in things:
                n_people += 1
                assert pair_split(name, thing) == split, document.text
        coloured = re.findall(rf"\b({'|'.join(COLOURS)}) ({'|'.join(THINGS)})\b", document.text)
        stated = re.findall(rf"The ({'|'.join(THINGS)}) is ({'|'.join(COLOURS)})\b", document.text)
        for pair in coloured + stated:
            if split == "train":
                n_colours += 1
                assert combination_split(*pair) == split, document.text
        for left, right in re.findall(r"(\d+) [+-] (\d+) =(?! \?)", document.text):
            n_numbers += 1
            assert combination_split(left, right) == split, document.text
    assert n_people > 10_000 and n_numbers > 300 and (split == "held_out" or n_colours > 5000)


def test_most_held_out_colours_are_held_out():
    texts = text(500_000, 4, "held_out", separator="\n")
    pairs = re.findall(rf"\b({'|'.join(COLOURS)}) ({'|'.join(THINGS)})\b", texts)
    assert sum(combination_split(*pair) == "held_out" for pair in pairs) / len(pairs) > 0.75


def test_more_bytes_prolong_the_stream():
    short, long = list(documents(5_000, 1)), list(documents(20_000, 1))
    assert long[: len(short)] == short
    n_bytes = [document.n_bytes for document in short]
    assert sum(n_bytes) >= 5_000 > sum(n_bytes[:-1])
    assert len({document.id for document in long}) == len(long)


def test_the_mix_is_kept():
    found = Counter(document.topic for document in documents(1_000_000, 0))
    for kind, share in DEFAULT_MIX.items():
        assert abs(found[kind] / found.total() - share) < 0.03, kind


def test_documents_are_rarely_repeated():
    texts = [document.text for document in documents(1_000_000, 0)]
    assert len(set(texts)) / len(texts) > 0.97


def test_level_is_used():
    assert {document.metadata["level"] for document in documents(20_000, 0, level=4)} == {4}
    assert {document.metadata["level"] for document in documents(20_000, 0)} == {1, 2, 3}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "dev"}, "split: expected"),
        ({"level": 7}, "level: expected"),
        ({"mix": {"poem": 1.0}}, r"mix: expected kinds of .* got \['poem'\]"),
        ({"mix": {}}, "mix: expected kinds of"),
        ({"mix": {"story": 0.5}}, "mix: expected shares that add up to 1"),
        ({"mix": {"story": 1.5, "reply": -0.5}}, "mix: expected shares that add up to 1"),
    ],
)
def test_wrong_arguments_are_named_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        documents(100, 0, **arguments)
