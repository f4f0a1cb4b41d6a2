"""The checks that both architectures share."""

import pytest

from llm_course.errors import CourseError
from llm_course.pretrained.layout import SUPPORTED, require, setting, unsupported


def test_a_setting_that_is_there_is_given() -> None:
    assert setting({"a": None}, "a", "config.json") is None


def test_a_setting_that_is_not_there_is_named() -> None:
    with pytest.raises(CourseError, match="config.json: expected the setting n_embd, got none"):
        setting({}, "n_embd", "config.json")


def test_the_one_value_or_none_passes() -> None:
    require({"a": 1}, "config.json", a=1)
    require({}, "config.json", a=1)


@pytest.mark.parametrize("value", [2, None, "1"])
def test_another_value_is_refused(value: object) -> None:
    with pytest.raises(CourseError, match=f"config.json: a: expected 1, got {value!r}"):
        require({"a": value}, "config.json", a=1)


def test_the_error_names_what_is_supported() -> None:
    message = str(unsupported("c", "what", "this", "that"))
    assert message == f"c: what: expected this, got that. Fix: use {SUPPORTED}"
    assert "LlamaForCausalLM" in message and "GPT2LMHeadModel" in message
