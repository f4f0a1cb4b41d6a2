"""C4's rules: lines that go, pages that go, and that a second pass changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.cleaning.c4 import blocked_word, c4_lines, c4_pages, few_sentences
from llm_course.data.cleaning.rules import rule_filter, violations
from llm_course.data.documents import Document
from llm_course.data.stages import Kept, Removed, chain

PAGE = """Home | About us
The river runs through the old town.[12]
Read more.
Please enable Javascript to see this page.
He said: "It is as wide as the sea."
We use cookies to make this site better.

Is the water of the river clear?"""


def document(text):
    return Document(id="demo/1", text=text, corpus="demo")


def cut(text):
    (outcome,) = c4_lines()([document(text)])
    return outcome


def test_a_page_keeps_its_sentences_and_the_rest_is_counted():
    outcome = cut(PAGE)
    assert outcome.document.text.splitlines() == [
        "The river runs through the old town.",
        'He said: "It is as wide as the sea."',
        "Is the water of the river clear?",
    ]
    assert outcome.edits == {
        "no terminal mark": 1,
        "few words": 1,
        "JavaScript": 1,
        "policy": 1,
        "citation mark": 1,
    }


def test_a_page_of_menus_is_removed():
    assert cut("Home\nAbout us") == Removed(
        document("Home\nAbout us"), "no line left", "no terminal mark"
    )
    assert isinstance(cut(""), Removed)


@given(st.text(st.characters() | st.sampled_from("\n. [1]ab")))
def test_cutting_twice_is_cutting_once_and_never_fails(text):
    outcome = cut(text)
    # A mark inside a mark, [[1]2], is another mark after the first pass.
    if isinstance(outcome, Kept) and "citation mark" not in outcome.edits:
        assert set(outcome.document.text.splitlines()) <= set(text.splitlines())
        assert cut(outcome.document.text) == Kept(outcome.document)


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("One. Two. Three.", 3), ("3.5 of them are e.g.x", 0), ('"So?" he said.', 2)],
)
def test_sentences_are_counted_at_their_ends(text, count):
    assert few_sentences(text, least=count) is None
    assert (
        few_sentences(text, least=count + 1) == f"{count} sentences, expected {count + 1} or more"
    )


def test_each_rule_on_pages():
    sentences = "One is here. Two is here. Three is here. "
    rules = c4_pages(["darn", "bad luck"])
    assert violations(sentences, rules) == {}
    for added, name in {
        "Lorem Ipsum dolor": "lorem ipsum",
        "if (x) { y }": "curly bracket",
        "DARN!": "blocked word",
        "what bad luck": "blocked word",
    }.items():
        assert list(violations(sentences + added, rules)) == [name]
    assert list(violations("One. Two.", rules)) == ["few sentences"]


def test_no_blocked_words_block_nothing_and_special_characters_are_plain():
    assert blocked_word([])("anything") is None
    assert blocked_word(["a.b"])("axb") is None and blocked_word(["a.b"])("see a.b") is not None


def test_sentences_are_counted_after_lines_are_cut():
    stages = {"lines": c4_lines(), "pages": rule_filter(c4_pages())}
    kept, (_, pages) = chain(stages, [document(PAGE), document("A line of five words.\nB. C. D.")])
    assert len(list(kept)) == 1 and dict(pages.removed) == {"few sentences": 1}
