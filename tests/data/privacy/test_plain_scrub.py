"""The short scrubber against the full one, on made-up values, and its checks."""

import random

import pytest

from llm_course.data.privacy import values
from llm_course.data.privacy.plain_scrub import scrub_text
from llm_course.data.privacy.scrub import find_personal_data, replaced


@pytest.mark.parametrize("kind", ["card", "ipv4", "mistyped_card", "date", "isbn"])
def test_as_the_full_rules_on_made_up_values(kind):
    rng = random.Random(kind)
    for _ in range(200):
        text = f"Note {values.PERSONAL.get(kind, values.HARMLESS.get(kind))(rng)}, soon"
        expected = replaced(text, find_personal_data(text))
        assert scrub_text(text) == expected.replace("[IPV4]", "[IP]")


def test_emails_come_first():
    assert scrub_text("10.0.0.1@example.com") == "[EMAIL]"


def test_lengths_of_cards():
    assert scrub_text("0" * 12) == "0" * 12  # its checksum, 0, is valid
    assert scrub_text("0" * 13) == scrub_text("0" * 19) == "[CARD]"
    assert scrub_text("0" * 20) == "0" * 20
