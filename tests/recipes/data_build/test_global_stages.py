"""Cut into three parts, a global stage does what it does in one stream."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.data.deduplication.exact import duplicate_lines, exact_duplicates, loosely
from llm_course.data.deduplication.minhash import MinHash
from llm_course.data.deduplication.near import near_duplicates, near_duplicates_bounded
from llm_course.data.documents import Document
from llm_course.recipes.data_build.stage_kinds import make_stage

WORDS = st.sampled_from(["rome", "is", "a", "big", "old", "city", "Oslo", "too"])
TEXTS = st.lists(
    st.lists(st.lists(WORDS, min_size=1, max_size=9).map(" ".join), max_size=3).map("\n".join),
    max_size=14,
)
HASHER = MinHash(n_hashes=12, n=2)
NEAR = {"bands": 6, "rows": 2, "n": 2}
KINDS = [
    ("exact_duplicates", {}, exact_duplicates),
    ("exact_duplicates", {"loosely": True}, lambda: exact_duplicates(normalise=loosely)),
    ("duplicate_lines", {"least": 5}, lambda: duplicate_lines(least=5)),
    (
        "near_duplicates",
        NEAR | {"least": 0.4},
        lambda: near_duplicates(HASHER, bands=6, rows=2, least=0.4),
    ),
    (
        "near_duplicates",
        NEAR | {"capacity": 50},
        lambda: near_duplicates_bounded(50, HASHER, bands=6, rows=2),
    ),
]


@pytest.mark.parametrize("use, options, serial", KINDS)
@settings(deadline=None, max_examples=60)
@given(texts=TEXTS, data=st.data())
def test_pieces_give_what_the_stream_gives(use, options, serial, texts, data):
    documents = [Document(id=f"a/{i}", text=text, corpus="a") for i, text in enumerate(texts)]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=3)))
    edges = zip([0, *cuts], [*cuts, len(texts)], strict=True)
    pieces = [documents[start:stop] for start, stop in edges]
    stage = make_stage(use, options, "demo")
    signed = [([d.id for d in piece], stage.sign(piece)) for piece in pieces]
    decisions = json.loads(json.dumps(list(stage.decide(signed))))
    found = [
        outcome
        for piece, decision in zip(pieces, decisions, strict=True)
        for outcome in stage.apply(piece, decision)
    ]
    assert found == list(serial()(documents))


def test_duplicates_are_found_across_pieces():
    first, second = (Document(id=f"a/{i}", text="the same", corpus="a") for i in range(2))
    stage = make_stage("exact_duplicates", {}, "demo")
    signed = [([d.id], stage.sign([d])) for d in (first, second)]
    decisions = list(stage.decide(signed))
    (kept,), (removed,) = (
        list(stage.apply([d], decision))
        for d, decision in zip((first, second), decisions, strict=True)
    )
    assert kept.document == first and removed.reason == "exact duplicate"
