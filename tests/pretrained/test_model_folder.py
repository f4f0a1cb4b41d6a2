"""A folder that Transformers reads is read here with the same tokens, texts and end."""

import json

import pytest
import torch
from tokenizers import Tokenizer

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.pretrained.huggingface import save_huggingface
from llm_course.pretrained.model_folder import load_folder
from llm_course.pretrained.smollm2 import load_smollm2, smollm2_file
from llm_course.tokenizers import tokenizer_json
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.byte_level import byte_characters

TEMPLATE = "{{ bos_token }}{% for m in messages %}|{{ m.content }}{{ eos_token }}{% endfor %}"
SIZES = {"context_length": 32, "d_model": 8, "n_layers": 1, "n_heads": 2, "d_ff": 8}


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    tokens = [*byte_characters(), "<s>", "</s>"]
    save_huggingface(Decoder(DecoderConfig(vocab_size=258, **SIZES)), tmp_path)
    tokenizer = ByteLevelBPE({t: i for i, t in enumerate(tokens)}, [], special_tokens=tokens[256:])
    tokenizer_json.save(tokenizer, tmp_path / "tokenizer.json")
    settings = {"chat_template": TEMPLATE, "bos_token": "<s>", "eos_token": {"content": "</s>"}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    return tmp_path


def test_everything_of_a_folder_is_read(folder):
    loaded = load_folder(folder)
    messages = [{"role": "user", "content": "Hé"}]
    theirs = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert loaded.encode_chat(messages) == theirs.encode("<s>|Hé</s>").ids
    assert (loaded.name, loaded.end_id) == (folder.name, 257)
    assert loaded.model(torch.tensor([[1, 2]])).shape == (1, 2, 258)


def test_a_template_in_a_file_of_its_own_comes_first(folder):
    (folder / "chat_template.jinja").write_text("{{ bos_token }}!")
    assert load_folder(folder).encode_chat([]) == [256, ord("!")]


def test_without_a_template_there_is_none_and_the_config_has_the_end(folder):
    (folder / "tokenizer_config.json").unlink()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"eos_token_id": 7}))
    loaded = load_folder(folder)
    assert (loaded.chat_template, loaded.end_id) == ("", 7)


def test_a_gguf_file_is_the_model_of_the_package():
    loaded, known = load_folder(smollm2_file()), load_smollm2()
    messages = [{"role": "user", "content": "Hello"}]
    assert loaded.encode_chat(messages) == known.encode_chat(messages)
    assert loaded.end_id == known.end_id
    for name, weight in known.model.state_dict().items():
        assert torch.equal(weight, loaded.model.state_dict()[name])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer.json", "{"),
        ("tokenizer_config.json", "{"),
        ("tokenizer_config.json", "[]"),
        ("tokenizer_config.json", '{"chat_template": [1], "eos_token": "</s>"}'),
        ("tokenizer_config.json", '{"eos_token": "<nothing>"}'),
        ("config.json", "{}"),
    ],
)
def test_a_damaged_folder_is_one_line(folder, name, content):
    config = json.loads((folder / "config.json").read_text())
    config.pop("eos_token_id", None)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / name).write_text(content)
    with pytest.raises(CourseError, match="Fix: "):
        load_folder(folder)


def test_a_tokenizer_of_another_size_is_refused(folder):
    save_huggingface(Decoder(DecoderConfig(vocab_size=300, **SIZES)), folder)
    with pytest.raises(CourseError, match="one token for each logit"):
        load_folder(folder)


def test_no_folder_is_one_line(tmp_path):
    with pytest.raises(CourseError, match="Fix: "):
        load_folder(tmp_path / "nowhere")
