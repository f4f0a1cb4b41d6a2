"""Names by a list: which forms are found, and which words are left."""

import pytest

from llm_course.data.privacy.names import GIVEN_NAMES, name_pattern

PATTERN = name_pattern(GIVEN_NAMES)


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "Maria Clara Silva",
        "John F. Turner",
        "Ursula van der Berg",
        "Juan de la Cruz",
        "Sara O'Neill",
        "Anna Meyer-Schmidt",
        "Elena Ångström",
        "Paul McDonald",
    ],
)
def test_forms_that_are_found_whole(name):
    assert PATTERN.search(f"Then {name}, they said.").group() == name


@pytest.mark.parametrize(
    "text",
    ["Rose is red", "Will they come", "in Jordan", "ada lovelace", "Adam", "MARY SMITH", "xAda Bo"],
)
def test_words_that_are_left(text):
    assert PATTERN.search(text) is None


def test_the_list_is_the_callers():
    pattern = name_pattern(["Grażyna", "A.B"])
    assert pattern.search("Pani Grażyna Nowak").group() == "Grażyna Nowak"
    assert pattern.search("AxB Nowak") is None
    assert name_pattern([]).search("Ada Lovelace") is None


def test_the_list_has_no_name_twice():
    assert len(set(GIVEN_NAMES)) == len(GIVEN_NAMES) > 150
    assert all(name.isalpha() and name.istitle() for name in GIVEN_NAMES)
