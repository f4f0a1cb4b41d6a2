"""The course checkpoint: its loss is the recorded one, and what it writes is made of its words."""

import json
import re
import shutil

import pytest
import torch
import torch.nn.functional as F

from llm_course.data.tiny_world.text import documents
from llm_course.data.tiny_world.words import NAMES
from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.generate import generate
from llm_course.decoding.sampling import SamplingConfig
from llm_course.errors import CourseError
from llm_course.pretrained.course_checkpoint import (
    FOLDER,
    course_checkpoint_facts,
    load_course_checkpoint,
)
from llm_course.pretrained.pretrained_model import PretrainedModel

WORD = re.compile(r"[A-Za-z]+")
NAME = re.compile(rf"\b(?:{'|'.join(NAMES)})\b")
PLACED = re.compile(r"\b(?:was|were) (?:in|at|by|on)\b")  # how the corpus introduces people


@pytest.fixture(scope="module")
def loaded() -> PretrainedModel:
    return load_course_checkpoint()


@pytest.fixture(scope="module")
def facts() -> dict:
    return course_checkpoint_facts()


def tokens_of(loaded: PretrainedModel, texts: list[str]) -> list[int]:
    return [i for text in texts for i in [*loaded.tokenizer.encode(text), loaded.end_id]]


@torch.no_grad()
def test_its_held_out_loss_is_the_recorded_one(loaded, facts):
    """By PyTorch's loss on text that is generated here, row by row."""
    texts = [d.text for d in documents(facts["data"]["held_out_bytes"], facts["seed"], "held_out")]
    ids, length = torch.tensor(tokens_of(loaded, texts)), loaded.model.config.context_length
    n_rows = (len(ids) - 1) // length
    total = 0.0
    for start in range(0, n_rows * length, 8 * length):
        stop = min(start + 8 * length, n_rows * length)
        logits = loaded.model(ids[start:stop].reshape(-1, length)).flatten(0, 1)
        total += F.cross_entropy(logits, ids[start + 1 : stop + 1], reduction="sum").item()
    assert n_rows * length == facts["held_out_tokens"]
    assert total / (n_rows * length) == pytest.approx(facts["held_out_loss"], abs=1e-5)


@torch.no_grad()
def test_it_knows_its_language_and_not_its_words_in_disorder(loaded, facts):
    [document] = list(documents(1, facts["seed"] + 1, "held_out", mix={"story": 1.0}))
    ids = tokens_of(loaded, [document.text])[: loaded.model.config.context_length]

    def loss(ids: list[int]) -> float:
        tokens = torch.tensor([[loaded.end_id, *ids]])
        return F.cross_entropy(loaded.model(tokens)[0, :-1], tokens[0, 1:]).item()

    words = document.text.split()
    mixed = " ".join(words[i] for i in torch.randperm(len(words), generator=torch.manual_seed(0)))
    assert loss(ids) < loss(tokens_of(loaded, [mixed])[: len(ids)]) - 1.0


OPENINGS = ["", "One sunny morning, Anna", "Once upon a time,", "It was a cold evening."]


@pytest.fixture(scope="module")
def known(facts) -> set[str]:
    """The words of a part of the corpus."""
    corpus = documents(400_000, facts["seed"])
    return {word for document in corpus for word in WORD.findall(document.text)}


def write(loaded: PretrainedModel, sampling: SamplingConfig) -> list[str]:
    prompts = [[loaded.end_id, *loaded.tokenizer.encode(text)] for text in OPENINGS]
    config = GenerationConfig(max_new_tokens=100, end_ids=(loaded.end_id,), sampling=sampling)
    written = generate(loaded.model, prompts, config, loaded.tokenizer)
    return [opening + text.text for opening, text in zip(OPENINGS, written, strict=True)]


def test_greedy_stories_are_made_of_the_corpus_words(loaded, known):
    """They may repeat themselves, as those of a small model do; the words are right."""
    texts = write(loaded, SamplingConfig(temperature=0.0))
    words = [word for text in texts for word in WORD.findall(text)]
    assert len(words) > 100
    assert [word for word in words if word not in known] == []
    assert all(text.count(".") >= 3 for text in texts[1:]), texts


def test_drawn_stories_are_made_of_many_of_its_words(loaded, known):
    texts = write(loaded, SamplingConfig(temperature=0.8, seed=0))
    words = [word for text in texts for word in WORD.findall(text)]
    assert sum(word in known for word in words) > 0.95 * len(words)
    assert len(set(words)) > 60
    assert all(text.count(".") >= 3 for text in texts[1:]), texts


def strangers(text: str) -> tuple[int, int]:
    """How often a story names somebody who acts, and how often nobody has told of them before."""
    known: set[str] = set()
    n_named = n_strange = 0
    for sentence in re.split(r"(?<=[.!?])\s", text):
        names = NAME.findall(sentence)
        if not PLACED.search(sentence):
            n_named += len(names)
            n_strange += sum(name not in known for name in names)
        known.update(names)
    return n_named, n_strange


def test_a_story_stays_with_its_people(loaded, facts):
    """Stories of the corpus name nobody who was not introduced; those of the model hardly do."""
    corpus = documents(60_000, facts["seed"] + 2, "held_out", mix={"story": 1.0})
    told = [strangers(document.text) for document in corpus]
    assert sum(n for n, _ in told) > 1000 and sum(n for _, n in told) == 0
    opening = "One sunny morning, Anna and Ben were in the garden."
    prompts = [[loaded.end_id, *loaded.tokenizer.encode(opening)]] * 30
    sampling = SamplingConfig(temperature=0.7, seed=0)
    config = GenerationConfig(max_new_tokens=90, end_ids=(loaded.end_id,), sampling=sampling)
    written = generate(loaded.model, prompts, config, loaded.tokenizer)
    told = [strangers(opening + text.text) for text in written]
    n_named, n_strange = (sum(column) for column in zip(*told, strict=True))
    assert n_named > 150
    assert n_strange < 0.05 * n_named, f"{n_strange} of {n_named} names come from nowhere"


def test_the_file_is_small_whole_and_in_full_precision(loaded, facts):
    path = FOLDER / "model.safetensors"
    assert path.stat().st_size <= 16e6
    assert {weight.dtype for weight in loaded.model.parameters()} == {torch.float32}
    assert loaded.model.n_parameters == facts["n_parameters"]
    assert (loaded.model.config.position, loaded.end_id) == ("rope", 0)


def test_how_it_was_made_is_told(facts):
    needed = {"command", "seed", "data", "data_sha256", "training", "run", "versions", "date"}
    assert needed <= facts.keys()
    assert facts["command"].startswith("llm-course train --config configs/course.toml")
    log = (FOLDER / "log.csv").read_text().splitlines()
    assert len(log) == 1 + facts["training"]["n_steps"]
    assert float(log[-1].split(",")[5]) == facts["held_out_loss"]


def test_the_recipe_is_the_one_in_the_repository(facts, loaded):
    from llm_course.classroom.course import find_root
    from llm_course.recipes.train.recipe import load_train_recipe

    recipe = load_train_recipe(find_root() / "configs" / "course.toml")
    config = recipe.decoder_config(len(loaded.tokenizer))
    assert config == loaded.model.config
    expected = recipe.identity(config, facts["data_sha256"], recipe.training.n_steps)["training"]
    assert json.loads(json.dumps(expected)) == facts["training"]


def test_damaged_files_are_refused(tmp_path):
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        shutil.copy(FOLDER / name, tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(
        CourseError, match=r"model.safetensors: expected a whole .*llm-course train"
    ):
        load_course_checkpoint(folder=tmp_path)
    shutil.copy(FOLDER / "model.safetensors", tmp_path)
    config = json.loads((FOLDER / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"vocab_size": 900}))
    with pytest.raises(CourseError, match="expected byte-level BPE with 900 tokens, got ByteLevel"):
        load_course_checkpoint(folder=tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(CourseError, match="config.json: expected a JSON object"):
        load_course_checkpoint(folder=tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(CourseError, match="config.json: expected JSON, got"):
        load_course_checkpoint(folder=tmp_path)
