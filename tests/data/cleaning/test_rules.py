"""Rules applied: the first broken one is the reason, order is kept, no text makes them fail."""

from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.cleaning.c4 import c4_pages
from llm_course.data.cleaning.gopher import GOPHER_QUALITY
from llm_course.data.cleaning.repetition import GOPHER_REPETITION
from llm_course.data.cleaning.rules import above, outside, rule_filter, violations
from llm_course.data.documents import Document
from llm_course.data.stages import Kept, Removed

ANY_TEXT = st.text(st.characters())  # half surrogate pairs too
RULES = {**GOPHER_QUALITY, **GOPHER_REPETITION, **c4_pages(["darn"])}


def documents(texts):
    return [Document(id=f"demo/{i}", text=text, corpus="demo") for i, text in enumerate(texts)]


@given(st.lists(ANY_TEXT, max_size=5))
def test_any_text_gets_one_outcome_in_order_with_its_first_broken_rule(texts):
    found = documents(texts)
    outcomes = list(rule_filter(RULES)(found))
    assert [outcome.document for outcome in outcomes] == found
    for document, outcome in zip(found, outcomes, strict=True):
        broken = violations(document.text, RULES)
        if broken:
            assert isinstance(outcome, Removed)
            assert (outcome.reason, outcome.detail) == next(iter(broken.items()))
        else:
            assert outcome == Kept(document)


@given(ANY_TEXT)
def test_a_detail_is_never_empty(text):
    assert all(violations(text, RULES).values())


def test_no_rules_keep_everything():
    assert all(isinstance(outcome, Kept) for outcome in rule_filter({})(documents(["", "a"])))


def test_limits_belong_to_what_is_allowed():
    assert above(0.3, 0.3, "x") is None and above(0.31, 0.3, "x") is not None
    assert outside(3, 3, 10, "x") is None and outside(10, 3, 10, "x") is None
    assert outside(2.99, 3, 10, "x") is not None and outside(10.01, 3, 10, "x") is not None
