"""A tiny random model that can be talked to, and servers of it that run in a thread."""

import threading
import time
from contextlib import contextmanager

import pytest
import torch
from openai import OpenAI
from torch import nn

from llm_course.decoding.engine_parts import EngineConfig
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.pretrained.pretrained_model import PretrainedModel
from llm_course.serving.server import listen, make_server
from llm_course.serving.server_config import ServerConfig
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.byte_level import byte_characters

TEMPLATE = (
    "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant: {% endif %}"
)


def make_tiny(template=TEMPLATE) -> PretrainedModel:
    """256 bytes and two special tokens; weights large enough that its texts vary."""
    config = DecoderConfig(
        vocab_size=258, context_length=192, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=16
    )
    model, generator = Decoder(config).double(), torch.Generator().manual_seed(0)
    for name, weight in model.named_parameters():
        nn.init.normal_(weight, float(name.endswith("norm.weight")), 0.3, generator=generator)
    tokens = [*byte_characters(), "<s>", "</s>"]
    return PretrainedModel(
        name="tiny",
        licence="none",
        model=model.eval(),
        tokenizer=ByteLevelBPE(
            {token: i for i, token in enumerate(tokens)}, [], special_tokens=tokens[256:]
        ),
        chat_template=template,
        end_id=257,
    )


class Running:
    """A server that runs: its address, its clients, and its engine."""

    def __init__(self, server, port):
        self.server, self.port = server, port
        self.service = server.config.app.state.service
        self.engine = self.service.thread.engine
        self.url = f"http://127.0.0.1:{port}/v1"

    def client(self, **options):
        return OpenAI(base_url=self.url, api_key="none", max_retries=0, timeout=60, **options)

    def wait_until(self, condition, seconds=30.0):
        """Wait for what another thread brings about; false if it never does."""
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            time.sleep(0.01)
        return condition()

    def is_clean(self):
        """Whether nothing is written, nobody waits, and every block is free."""
        return self.wait_until(
            lambda: (
                self.engine.idle
                and self.engine.n_free_blocks == self.engine.config.n_blocks
                and self.service.n_requests == 0
            )
        )


@contextmanager
def running_server(pretrained, engine_config=None, **config):
    settings = ServerConfig(port=0, **config)
    server = make_server(pretrained, settings, engine_config or EngineConfig(n_blocks=64))
    listener = listen(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    running = Running(server, listener.getsockname()[1])
    try:
        assert running.wait_until(lambda: server.started)
        yield running
    finally:
        server.should_exit = True
        thread.join()
    assert running.engine.idle and running.engine.n_free_blocks == running.engine.config.n_blocks


@pytest.fixture(scope="session")
def tiny():
    return make_tiny()


@pytest.fixture(scope="session")
def tiny_without_template():
    return make_tiny(template="")


@pytest.fixture(scope="session")
def serving():
    return running_server


@pytest.fixture(scope="module")
def server(tiny):
    with running_server(tiny, max_new_tokens=64, max_body_bytes=4096, max_texts=4) as running:
        yield running
        assert running.is_clean()
