"""The translation of weight names."""

import pytest

from llm_course.errors import CourseError
from llm_course.pretrained.names import expand, invert, renamed

TABLE = {"wte": "embedding", "h.{i}.ln": "blocks.{i}.norm"}


def test_there_and_back_is_the_same_name() -> None:
    forth = expand(TABLE, n_layers=12)
    assert len(forth) == 13
    for name in ("wte.weight", "h.0.ln.bias", "h.11.ln.weight"):
        assert renamed(renamed(name, forth, "a"), invert(forth), "b") == name
    assert renamed("h.11.ln.weight", forth, "a") == "blocks.11.norm.weight"


def test_inversion_loses_no_name() -> None:
    forth = expand(TABLE, n_layers=3)
    assert invert(invert(forth)) == forth


@pytest.mark.parametrize("name", ["h.2.ln.weight", "wpe.weight", "wte", ""])
def test_an_unknown_name_is_an_error(name: str) -> None:
    with pytest.raises(CourseError, match=f"model: .* got '{name}' besides. Fix: "):
        renamed(name, expand(TABLE, n_layers=2), "model")
