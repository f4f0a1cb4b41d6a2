"""Recipes: what a good one becomes, and a bad one's error in the house form."""

import re
from pathlib import Path

import pytest

from llm_course.classroom.course import find_root
from llm_course.errors import CourseError
from llm_course.recipes.data_build.recipe import load_recipe, parse_recipe

RECIPES = sorted((find_root(Path(__file__).parent) / "configs").glob("data*.toml"))


def test_a_recipe_becomes_plain_values(table):
    recipe = parse_recipe(table())
    assert [corpus.name for corpus in recipe.corpora] == ["tiny_world", "chatterbot_it"]
    assert recipe.stages[2].corpora == ("chatterbot_it",)
    assert recipe.stages[2].options == {"least": 10}
    assert recipe.stages[2].applies_to("chatterbot_it")
    assert not recipe.stages[2].applies_to("tiny_world")
    assert (recipe.mixture.temperature, recipe.tokenizer.use, recipe.seed) == (2.0, "bytes", 3)


def corpus(**fields):
    return {"corpora": [fields]}


WRONG = [
    (corpus(name="wiki"), "corpora[0]: corpus: expected one of tiny_world, wiki_en,"),
    (corpus(), "corpora[0]: name: expected a string, got nothing"),
    (corpus(name="bible", limit="all"), "corpora[0]: limit: expected an integer of at least 1"),
    (corpus(name="bible", limit=0), "limit: expected an integer of at least 1, got 0"),
    (corpus(name="bible", fallback=1), "fallback: expected true or false, got 1"),
    (corpus(name="bible", limits=3), "expected only the fields name, limit, fallback"),
    ({"corpora": []}, "corpora: expected at least one, got none"),
    ({"corpora": [{"name": "bible"}] * 2}, "corpora[1]: name: expected each corpus once"),
    ({"corpora": "bible"}, "corpora: expected a list, got 'bible'"),
    ({"stages": [{"use": "magic"}]}, "stages[0]: use: expected one of gopher_quality,"),
    ({"stages": [{}]}, "stages[0]: use: expected a string, got nothing"),
    ({"stages": ["c4_lines"]}, "stages[0]: expected a table, got 'c4_lines'"),
    ({"stages": [{"use": "c4_lines", "corpora": ["bible"]}]}, "corpora: expected corpora of this"),
    ({"stages": [{"use": "c4_lines", "rules": 1}]}, "stages[0]: expected only the fields"),
    ({"mixture": {"weights": "fair"}}, "mixture: weights: expected one of proportional,"),
    ({"mixture": {"weights": "temperature"}}, "mixture: temperature: expected a number, got noth"),
    (
        {"mixture": {"weights": "temperature", "temperature": 0}},
        "temperature: expected a positive number, got 0.0",
    ),
    ({"mixture": {"weights": "capped", "cap": 1.5}}, "cap: expected an integer of at least 1"),
    ({"mixture": {"temperature": 2.0}}, "mixture: expected only the fields weights, size"),
    (
        {"mixture": {"weights": "shares", "shares": {"tiny_world": 1.0}}},
        "mixture: shares: chatterbot_it: expected a number of at least 0, got nothing",
    ),
    (
        {"mixture": {"weights": "shares", "shares": {"tiny_world": 1, "chatterbot_it": 1}}},
        "mixture: shares: expected numbers that add up to 1",
    ),
    ({"tokenizer": {"use": "words"}}, "tokenizer: use: expected one of bytes, bpe, file"),
    ({"tokenizer": {"use": "bpe", "vocab_size": 256}}, "vocab_size: expected an integer of at"),
    ({"tokenizer": {"use": "bytes", "vocab_size": 300}}, "tokenizer: expected only the fields"),
    ({"seed": -1}, "seed: expected an integer of at least 0, got -1"),
    ({"documents_per_job": 0}, "documents_per_job: expected an integer of at least 1, got 0"),
    ({"name": None}, "name: expected a string, got nothing"),
    ({"colour": "red"}, "expected only the fields corpora, stages,"),
]


@pytest.mark.parametrize("changes, wanted", WRONG)
def test_a_bad_recipe_is_told_where_and_what(table, changes, wanted):
    with pytest.raises(CourseError, match=re.escape(wanted)) as told:
        parse_recipe(table(**changes), "demo.toml")
    assert str(told.value).startswith("demo.toml") and "Fix: " in str(told.value)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_course_s_recipes_are_good(path):
    assert load_recipe(path).stages


@pytest.mark.parametrize("content", ["name = ", "\xff", None])
def test_a_file_that_is_no_recipe(tmp_path, content):
    path = tmp_path / "demo.toml"
    if content is not None:
        path.write_text(content, encoding="latin-1")
    with pytest.raises(CourseError, match=r"demo\.toml: expected a (TOML file|recipe), .* Fix: "):
        load_recipe(path)


def test_a_tokenizer_is_looked_for_beside_the_recipe(tmp_path):
    path = tmp_path / "demo.toml"
    path.write_text(
        'name = "demo"\ncorpora = [{name = "tiny_world"}]\n'
        '[tokenizer]\nuse = "file"\npath = "tokenizer.json"\n'
    )
    assert load_recipe(path).tokenizer.path == str(tmp_path / "tokenizer.json")
