"""Bodies that are no request are refused, and answers are read as they were sent."""

import asyncio
import json
import socket

import httpx
import pytest

from llm_course.serving.exchange import send_events, send_json

BAD_BODIES = {
    b"": 400,
    b"{": 400,
    b"[]": 400,
    b'"text"': 400,
    b"\xff\xfe": 400,
    b'{"model": "tiny", "prompt": "A", "temperature": NaN}': 400,
    b'{"model": "tiny", "prompt": "A", "temperature": 1e999}': 400,
    b'{"model": "tiny", "prompt": "A", "temperature": ' + b"1" * 400 + b"}": 400,
    b'{"model": "tiny", "prompt": "A", "seed": ' + b"1" * 5000 + b"}": 413,
    b'{"model": "tiny", "prompt": "\\ud800"}': 400,
    b'{"model": "tiny", "prompt": "A", "\\ud800": 1}': 400,
    b'{"model": "\\ud800", "prompt": "A"}': 400,
    b"[" * 4000: 400,
    b" " * 4097: 413,
    b" " * 60_000: 413,
    b" " * 1_000_000: 413,
}


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: f"{body[:50]!r} {len(body)}")
def test_a_body_that_is_no_request_is_refused(server, body):
    try:
        answer = httpx.post(server.url + "/completions", content=body)
    except (httpx.WriteError, httpx.ReadError):
        assert len(body) > 16 * 4096, "only who sends far too much may be cut off"
        return
    error = answer.json()["error"]
    assert answer.status_code == BAD_BODIES[body]
    assert error["message"] and error["type"] == "invalid_request_error"
    assert set(error) == {"message", "type", "param", "code"}


def test_a_body_that_does_not_come_is_not_waited_for(tiny, serving):
    with (
        serving(tiny, body_seconds=1) as running,
        socket.create_connection(("127.0.0.1", running.port)) as slow,
    ):
        slow.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
        assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")
        assert running.is_clean()


def test_a_client_that_leaves_within_its_body_is_forgotten(tiny, serving):
    with serving(tiny) as running:
        with socket.create_connection(("127.0.0.1", running.port)) as leaving:
            leaving.sendall(
                b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"
            )
            assert running.wait_until(lambda: running.service.n_requests == 1)
        assert running.is_clean()


def sent(sending):
    """What a function sends, by the ASGI protocol."""
    messages = []

    async def send(message):
        messages.append(message)

    asyncio.run(sending(send))
    return messages


def test_a_whole_answer_can_hold_half_a_surrogate_pair():
    start, body = sent(lambda send: send_json(send, 200, {"text": "\ud800é"}, {"a": "b"}))
    headers = dict(start["headers"])
    assert json.loads(body["body"]) == {"text": "\ud800é"}
    assert int(headers[b"content-length"]) == len(body["body"]) and headers[b"a"] == b"b"


def test_every_piece_is_one_event():
    async def pieces():
        yield {"text": "two\n\nlines"}
        yield "[DONE]"

    _, *events, last = sent(lambda send: send_events(send, pieces()))
    assert [event["body"].count(b"\n\n") for event in events] == [1, 1]
    assert json.loads(events[0]["body"].removeprefix(b"data: ")) == {"text": "two\n\nlines"}
    assert events[1]["body"] == b"data: [DONE]\n\n" and not last.get("more_body")
