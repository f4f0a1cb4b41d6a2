"""Ctrl-C at a server that runs as a program: the first lets answers end, the second does not."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from openai import OpenAI

# A server whose first answer never ends by itself: after three steps nothing more is written.
SCRIPT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
sys.path.insert(0, sys.argv[1])
from conftest import make_tiny
from llm_course.decoding.engine import Engine
from llm_course.serving.server import serve
from llm_course.serving.server_config import ServerConfig
step, allowed = Engine.step, [3]
def held(engine):
    allowed[0] -= 1
    time.sleep(0.005)
    return step(engine) if allowed[0] >= 0 else []
Engine.step = held
serve(make_tiny(), ServerConfig(port=0, shutdown_seconds=int(sys.argv[2])), tell=lambda line:
      print(line, flush=True))
print("ended", flush=True)
"""


@pytest.fixture
def started():
    """Start such a server; gives the process, its port and an answer that goes on."""
    processes = []

    def start(grace):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, Path(__file__).parent, str(grace)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        port = int(re.search(r":(\d+)/v1", process.stdout.readline())[1])
        client = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)
        stream = client.completions.create(model="tiny", prompt="A", max_tokens=60, stream=True)
        next(iter(stream))
        return process, port, stream

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_ends_it_after_the_grace(started, kind):
    process, port, _ = started(grace=1)
    process.send_signal(kind)
    out, err = process.communicate(timeout=60)
    assert "ended" in out or kind == signal.SIGTERM
    assert process.returncode in (0, -kind) and "Traceback" not in err
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port)):
        pass


def test_the_second_ctrl_c_does_not_wait(started):
    process, _, _ = started(grace=3600)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=2)  # the answer may go on
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)  # far less than the grace
    assert process.returncode in (0, -signal.SIGINT) and "Traceback" not in err
