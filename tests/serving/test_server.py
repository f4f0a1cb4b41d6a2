"""The server's beginning and end; Ctrl-C ends it in order, and a second one at once."""

import re
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai
import pytest

from llm_course.decoding.engine_parts import EngineConfig
from llm_course.errors import CourseError
from llm_course.serving import server as module
from llm_course.serving.server import listen, make_server
from llm_course.serving.server_config import ServerConfig

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

STREAM = {"model": "tiny", "prompt": "A", "max_tokens": 60, "seed": 0, "stream": True}


def test_it_listens_to_this_machine_unless_told_otherwise():
    with listen(ServerConfig(port=0)) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_an_address_that_is_taken_is_one_line():
    with listen(ServerConfig(port=0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CourseError, match=f"127.0.0.1:{port}.*Fix: "):
            listen(ServerConfig(port=port))


@pytest.mark.parametrize("host", ["999.1.1.1", "192.0.2.1", "::zz"])
def test_an_address_of_another_machine_is_one_line(host):
    with pytest.raises(CourseError, match="Fix: "):
        listen(ServerConfig(host=host, port=0))


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_it_says_where_it_is_and_who_can_reach_it(tiny, monkeypatch, host, warned):
    told, ran = [], []
    monkeypatch.setattr(module.uvicorn.Server, "run", lambda self, sockets: ran.append(sockets))
    module.serve(tiny, ServerConfig(host=host, port=0), tell=told.append)
    port = ran[0][0].getsockname()[1]
    ran[0][0].close()
    assert f"http://{host}:{port}/v1" in told[0]
    assert any("no password" in line for line in told) == warned


def test_what_runs_may_end_when_the_server_does(tiny, serving):
    with serving(tiny, shutdown_seconds=60) as running:
        stream = iter(running.client().completions.create(**STREAM))
        chunks = [next(stream)]
        running.server.should_exit = True
        chunks += stream
        assert chunks[-1].choices[0].finish_reason in ("length", "stop")
        assert running.wait_until(lambda: not running.server.started or running.engine.idle)


def test_what_runs_too_long_is_cancelled_when_the_server_ends(tiny, monkeypatch):
    config = ServerConfig(port=0, shutdown_seconds=1)
    server = make_server(tiny, config, EngineConfig(n_blocks=64))
    service = server.config.app.state.service
    engine, step, allowed = service.thread.engine, service.thread.engine.step, [3]

    def held_step():
        allowed[0] -= 1
        pause.wait(0.005)
        return step() if allowed[0] >= 0 else []

    pause = threading.Event()
    monkeypatch.setattr(engine, "step", held_step)
    listener = listen(config)
    port = listener.getsockname()[1]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)
    stream = iter(client.completions.create(**STREAM))
    next(stream)
    assert engine.n_free_blocks < 64
    with ThreadPoolExecutor(1) as pool:
        whole = pool.submit(client.completions.create, **STREAM | {"stream": False})
        while service.n_requests < 2 or engine.n_running + engine.n_waiting < 2:
            pause.wait(0.005)
        server.should_exit = True
        with pytest.raises(openai.APIError, match="shutting down"):
            list(stream)
        with pytest.raises(openai.InternalServerError) as told:
            whole.result()
        assert (told.value.status_code, told.value.code) == (503, "shutting_down")
    thread.join(30)
    assert not thread.is_alive() and not service.thread._thread.is_alive()
    assert engine.idle and engine.n_free_blocks == 64 and service.n_requests == 0
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port)):
        pass


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
        client = openai.OpenAI(
            base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0
        )
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
