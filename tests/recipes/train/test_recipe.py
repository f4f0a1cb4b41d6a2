"""What a training recipe may hold, and how it says what it may not."""

import copy

import pytest

from llm_course.classroom.course import find_root
from llm_course.errors import CourseError
from llm_course.recipes.train.recipe import load_train_recipe, parse_train_recipe

TABLE = {
    "name": "a",
    "model": {"context_length": 16, "d_model": 16, "n_layers": 2, "n_heads": 2, "d_ff": 24},
    "training": {"n_steps": 4, "learning_rate": 0.01},
}


@pytest.mark.parametrize("name", ["tiny", "course", "100m", "7b"])
def test_every_preset_is_a_recipe(name):
    recipe = load_train_recipe(find_root() / "configs" / f"{name}.toml")
    assert recipe.name == name


@pytest.mark.parametrize(
    ("where", "field", "value", "message"),
    [
        ("", "seeds", 1, "recipe: expected only the fields name, seed, model"),
        ("", "name", 1, "recipe: name: expected a string, got 1"),
        ("model", "d_model", 15, "a: model: n_heads: expected a divisor of d_model=15, got 2."),
        ("model", "width", 3, "a: model: .*unexpected keyword argument 'width'"),
        ("data", "bytes", 1, "recipe: data: expected only the fields tokens, n_bytes"),
        ("data", "vocab_size", 4, "recipe: data: vocab_size: expected an integer of at least 258"),
        ("data", "tokens", 4, "recipe: data: tokens: expected a string, got 4"),
        ("training", "steps", 4, "recipe: training: expected only the fields .* got 'steps'"),
        ("training", "n_steps", 0, "recipe: training: n_steps: expected an integer from 1, got 0"),
        ("training", "learning_rate", "x", "recipe: training: unsupported operand .* Fix: correct"),
        ("run", "batch_size", 0, "recipe: run: batch_size: expected an integer of at least 1"),
        ("run", "recompute", 1, "recipe: run: recompute: expected true or false, got 1"),
    ],
)
def test_what_is_no_recipe(where, field, value, message):
    table = copy.deepcopy(TABLE)
    (table.setdefault(where, {}) if where else table)[field] = value
    with pytest.raises(CourseError, match=message):
        parse_train_recipe(table)


def test_files_that_are_missing_or_no_toml(tmp_path):
    with pytest.raises(CourseError, match="none.toml: expected a recipe, found no file"):
        load_train_recipe(tmp_path / "none.toml")
    (tmp_path / "a.toml").write_text("name = ")
    with pytest.raises(CourseError, match="a.toml: expected a TOML file, got"):
        load_train_recipe(tmp_path / "a.toml")


def test_token_files_lie_beside_the_recipe(tmp_path):
    text = 'name = "a"\n[model]\ncontext_length = 8\nd_model = 4\nn_layers = 1\nn_heads = 1\n'
    text += "d_ff = 2\n[data]\ntokens = '../built'\n[training]\nn_steps = 1\nlearning_rate = 0.1\n"
    (tmp_path / "a.toml").write_text(text)
    found = load_train_recipe(tmp_path / "a.toml")
    assert found.data.tokens == str(tmp_path.parent / "built")


def test_zero_is_toml_for_no_clipping():
    table = copy.deepcopy(TABLE)
    table["training"]["max_grad_norm"] = 0
    table["training"]["betas"] = [0.9, 0.99]
    training = parse_train_recipe(table).training
    assert training.max_grad_norm is None and training.betas == (0.9, 0.99)


def test_identity_knows_all_that_changes_a_run(make):
    def identity(recipe, sha="x"):
        return recipe.identity(recipe.decoder_config(9), sha, 3)

    same = identity(make())
    assert identity(make(run={"checkpoint_every": 7, "sample_every": 0, "keep": 9})) == same
    others = [
        make(seed=4),
        make(model={"d_ff": 20}),
        make(training={"learning_rate": 0.02}),
        make(training={"n_steps": 25}),
        make(run={"batch_size": 5}),
        make(run={"z_weight": 0.1}),
    ]
    assert all(identity(other) != same for other in others)
    assert identity(make(), "y") != same


def test_the_length_of_a_run_does_not_matter_on_its_plateau(make):
    def identity(n_steps, decay_steps, step):
        wsd = {"schedule": "wsd", "n_steps": n_steps, "decay_steps": decay_steps}
        recipe = make(training=wsd)
        return recipe.identity(recipe.decoder_config(9), "x", step)

    assert identity(24, 8, 16) == identity(40, 10, 16) == identity(20, 4, 16)
    assert identity(24, 8, 17) != identity(40, 10, 17)
    assert identity(24, 8, 17) == identity(24, 8, 17)
