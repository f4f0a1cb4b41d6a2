"""`serve` and `chat`, from the command line in."""

import io
import sys

import pytest

from llm_course import cli
from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.generate import generate
from llm_course.decoding.sampling import SamplingConfig
from llm_course.pretrained import smollm2 as smollm2_module
from llm_course.serving import server as server_module


@pytest.fixture
def run(monkeypatch, capsys, tiny):
    """Run a command with lines as its input; give its exit code, output and errors."""
    monkeypatch.setattr(smollm2_module, "load_smollm2", lambda *args, **options: tiny)

    def run(*words, lines=""):
        monkeypatch.setattr(sys, "argv", ["llm-course", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return ended.value.code or 0, told.out, told.err

    return run


def test_chat_answers_as_generate_with_every_option(run, tiny):
    options = {
        "temperature": 0.8, "top_k": 30, "top_p": 0.95, "min_p": 0.01, "typical_p": 0.9,
        "repetition_penalty": 1.1, "frequency_penalty": 0.2, "presence_penalty": 0.1, "seed": 5,
    }  # fmt: skip
    words = [w for k, v in options.items() for w in ("--" + k.replace("_", "-"), v)]
    code, out, err = run(
        "chat", *words, "--max-tokens", 12, "--stop", "q", "--system", "S", lines="Hi\n"
    )
    config = GenerationConfig(
        max_new_tokens=12, end_ids=(257,), stop=("q",), sampling=SamplingConfig(**options)
    )
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}]
    [expected] = generate(tiny.model, [tiny.encode_chat(messages)], config, tiny.tokenizer)
    assert (code, err) == (0, "")
    assert out.split("\n", 1)[1] == f"{expected.text}\n\n"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("chat", "--temperature", "-1"), "temperature"),
        (("chat", "--top-p", "0"), "top_p"),
        (("chat", "--max-tokens", "0"), "max_new_tokens"),
        (("chat", "--stop", ""), "stop"),
        (("chat", "--device", "tpu"), "--device"),
        (("chat", "--model", "nowhere"), "nowhere"),
        (("serve", "--port", "70000"), "port"),
        (("serve", "--blocks", "0"), "n_blocks"),
        (("serve", "--host", "999.9.9.9"), "999.9.9.9"),
    ],
)
def test_what_cannot_be_is_one_line(run, words, named):
    code, out, err = run(*words)
    assert code == 2 and err.startswith("error: ") and "Fix: " in err
    assert named in err and err.count("\n") == 1 and "Traceback" not in err


def test_serve_passes_on_its_limits(run, monkeypatch, tiny):
    asked = []
    monkeypatch.setattr(server_module, "serve", lambda *args, **options: asked.append(args))
    code, _, err = run(
        "serve", "--port", 0, "--max-tokens", 5, "--max-body", 6, "--max-requests", 7,
        "--max-running", 8, "--max-waiting", 9, "--blocks", 10, "--grace", 11,
    )  # fmt: skip
    assert (code, err) == (0, "")
    [(model, config, engine)] = asked
    assert model is tiny and config.host == "127.0.0.1"
    limits = (config.port, config.max_new_tokens, config.max_body_bytes, config.max_requests)
    assert limits == (0, 5, 6, 7) and config.shutdown_seconds == 11
    assert (engine.max_running, engine.max_waiting, engine.n_blocks) == (8, 9, 10)
