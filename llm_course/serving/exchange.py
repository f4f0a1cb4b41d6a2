"""The two ends of an HTTP exchange: a body that is read within limits, an answer that is sent.

By the ASGI protocol: ``receive`` and ``send`` are what the web server gives. Leaves out multipart
bodies and compression.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.types import Receive, Send

from llm_course.serving.api_errors import ApiError
from llm_course.serving.server_config import ServerConfig

_DISCARDED = 16
"""A body that is too long is read on to so many times its limit, so that the client, which is
still sending, comes to read the answer."""


class ClientGone(Exception):
    """Nobody is there any more to be answered."""


async def read_json(receive: Receive, config: ServerConfig) -> Any:
    """The body of a request, as JSON.

    Raises:
        ApiError: it is too long (413), too slow (408) or no JSON (400).
        ClientGone: the client left before it ended.
    """
    try:
        async with asyncio.timeout(config.body_seconds):
            body = await _read(receive, config.max_body_bytes)
    except TimeoutError:
        raise ApiError(
            408, f"body: expected it within {config.body_seconds} s, got less.", code="timeout"
        ) from None
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        detail = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ApiError(
            400, f"body: expected JSON, got: {detail[:200]}.", code="invalid_json"
        ) from error


async def disconnected(receive: Receive) -> None:
    """Return when the client has left; the body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_json(send: Send, status: int, content: Any, headers: dict[str, str]) -> None:
    """Send a whole answer."""
    # ASCII, so that even half a surrogate pair that came in goes out again as it was spelled.
    body = json.dumps(content).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    await send(_start(status, headers))
    await send({"type": "http.response.body", "body": body})


async def send_events(send: Send, contents: AsyncIterator[Any]) -> None:
    """Send an answer piece by piece, as server-sent events; text is sent as it is."""
    await send(_start(200, {"content-type": "text/event-stream", "cache-control": "no-cache"}))
    async for content in contents:
        data = content if isinstance(content, str) else json.dumps(content)
        body = f"data: {data}\n\n".encode()
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _read(receive: Receive, most: int) -> bytes:
    body, length, more = bytearray(), 0, True
    while more and length <= _DISCARDED * most:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        length += len(message.get("body", b""))
        if length <= most:
            body += message.get("body", b"")
        more = message.get("more_body", False)
    if length > most:
        raise ApiError(
            413, f"body: expected at most {most} bytes, got more.", code="request_too_large"
        )
    return bytes(body)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name}, which JSON does not have")


def _start(status: int, headers: dict[str, str]) -> dict[str, Any]:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}
