"""The web application: which address is answered by what.

``/v1/chat/completions``, ``/v1/completions`` and ``/v1/models``, by OpenAI's interface. Leaves out
keys and users: it is made for one machine.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from llm_course.decoding.engine import Engine
from llm_course.decoding.engine_parts import EngineConfig
from llm_course.pretrained.pretrained_model import PretrainedModel
from llm_course.serving.api_errors import ApiError
from llm_course.serving.asked import Limits, read_chat, read_completion
from llm_course.serving.endpoint import Endpoint, Service
from llm_course.serving.engine_thread import EngineThread
from llm_course.serving.server_config import ServerConfig


def create_app(
    pretrained: PretrainedModel,
    config: ServerConfig | None = None,
    engine_config: EngineConfig | None = None,
) -> Starlette:
    """An application that serves a model; ``app.state.service`` is what its requests share.

    The engine's thread begins with the application's life and ends with it: what still runs then
    is cancelled.

    Args:
        pretrained: the model, with its tokenizer and chat template.
        config: what one request may ask for.
        engine_config: what all of them may ask for together.
    """
    engine = Engine(pretrained.model, engine_config, pretrained.tokenizer)
    places = engine.config.n_blocks * engine.config.block_size
    limits = Limits(server=config or ServerConfig(), places=places)
    service = Service(pretrained, limits, EngineThread(engine))

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        service.thread.start()
        try:
            yield
        finally:
            await asyncio.to_thread(service.thread.close)

    chat = Endpoint(service, read_chat, chat=True)
    completion = Endpoint(service, read_completion, chat=False)
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/completions", completion, methods=["POST"]),
            Route("/v1/models", _models(pretrained.name)),
            Route("/v1/models/{name:path}", _models(pretrained.name)),
        ],
        exception_handlers={
            ApiError: _tell,
            HTTPException: _tell_http,
            Exception: _tell_defect,
        },
        lifespan=life,
    )
    app.state.service = service
    return app


def _models(name: str) -> Callable[[Request], Awaitable[JSONResponse]]:
    """All models, or the one that the address names; there is one."""
    model = {"id": name, "object": "model", "created": 0, "owned_by": "llm-course"}

    async def answer(request: Request) -> JSONResponse:
        wanted = request.path_params.get("name")
        if wanted is None:
            return JSONResponse({"object": "list", "data": [model]})
        if wanted != name:
            raise ApiError(404, f"model: expected {name!r}.", "model", "model_not_found")
        return JSONResponse(model)

    return answer


class _Ascii(JSONResponse):
    """JSON that can hold whatever came in: half a surrogate pair goes out as it was spelled."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content).encode()


async def _tell(request: Request, error: Exception) -> JSONResponse:
    """What the client did, or what it may try again."""
    if not isinstance(error, ApiError):
        raise error
    return _Ascii(error.body(), error.status, headers=error.headers)


async def _tell_http(request: Request, error: Exception) -> JSONResponse:
    """An address or a method that does not exist."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = f"{request.method} {request.url.path}: {HTTPStatus(status).phrase}."
    headers = getattr(error, "headers", None)
    return _Ascii(ApiError(status, message).body(), status, headers=headers)


async def _tell_defect(request: Request, error: Exception) -> JSONResponse:
    """A defect of ours: the client learns that it is none of its own, the log the rest."""
    return _Ascii(ApiError(500, "server: an error of the server's own.").body(), 500)
