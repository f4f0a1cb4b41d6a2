"""Scripts of characters."""

import pytest

from llm_course.tokenizers.scripts import script_codes


@pytest.mark.parametrize("same", ["aéßĀz", "漢かカー字", "абвЖ", "1,.!$9 ", "אב", "नमस्ते"])
def test_one_script_has_one_number(same):
    assert len(set(script_codes(same).tolist()) - {0}) == 1


def test_scripts_differ():
    assert len(set(script_codes("aа漢1אनกกא").tolist())) == 7


def test_marks_and_accents_go_with_their_neighbours():
    assert script_codes("▁\u0301\u200d").tolist() == [0, 0, 0]


def test_rare_scripts_share_a_number():
    assert script_codes("\U00011a00\U00011c72").tolist() == [2, 2]


def test_no_characters():
    assert script_codes("").shape == (0,)
