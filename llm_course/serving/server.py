"""The server: a socket, the application, and an orderly end.

On the first Ctrl-C (or SIGTERM) nothing new is accepted, running answers may go on for
``shutdown_seconds``, then they are cancelled; a second Ctrl-C ends at once.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from llm_course.decoding.engine_parts import EngineConfig
from llm_course.errors import CourseError
from llm_course.pretrained.pretrained_model import PretrainedModel
from llm_course.serving.app import create_app
from llm_course.serving.endpoint import Service
from llm_course.serving.server_config import ServerConfig

_LAST_WORD_SECONDS = 1
"""How long answers may take to end with an error after a second Ctrl-C."""

_TOLD_SECONDS = 5
"""How long those whose answers were cancelled may take to read so, before they are cut off."""


class Server(uvicorn.Server):
    """A web server that gives running answers time to end, and then ends them with an error."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing new; stop the engine after the grace, which ends every answer."""
        service: Service = self.config.app.state.service
        grace = service.limits.server.shutdown_seconds
        timer = asyncio.get_running_loop().call_later(grace, service.thread.stop)
        try:
            await super().shutdown(sockets)
        finally:
            timer.cancel()
            if self.force_exit:  # uvicorn would tear everything down with a traceback for each
                service.thread.stop()
                if tasks := list(self.server_state.tasks):
                    await asyncio.wait(tasks, timeout=_LAST_WORD_SECONDS)
                await self.lifespan.shutdown()


def make_server(
    pretrained: PretrainedModel, config: ServerConfig, engine_config: EngineConfig | None = None
) -> Server:
    """A server that is not running yet; ``server.run(sockets=[listen(config)])`` runs it."""
    return Server(
        uvicorn.Config(
            create_app(pretrained, config, engine_config),
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=config.shutdown_seconds + _TOLD_SECONDS,
        )
    )


def serve(
    pretrained: PretrainedModel,
    config: ServerConfig,
    engine_config: EngineConfig | None = None,
    tell: Callable[[str], None] = print,
) -> None:
    """Serve a model until Ctrl-C.

    Args:
        pretrained: the model, with its tokenizer and chat template.
        config: where, and what one request may ask for.
        engine_config: what all requests may ask for together.
        tell: prints a line.

    Raises:
        CourseError: the address is taken or is not this machine's.
    """
    server = make_server(pretrained, config, engine_config)
    listener = listen(config)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    tell(f"{pretrained.name} is served at http://{shown}:{port}/v1. Ctrl-C ends.")
    if not is_loopback(host):
        tell("Everybody who can reach this machine can use it: there is no password.")
    with suppress(KeyboardInterrupt):  # uvicorn passes it on once all is ended
        server.run(sockets=[listener])


def listen(config: ServerConfig) -> socket.socket:
    """A socket at the address of a config.

    Raises:
        CourseError: the address is taken or is not this machine's.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        return socket.create_server((config.host, config.port), family=family, backlog=1024)
    except OSError as error:
        raise CourseError(
            f"{config.host}:{config.port}: expected a free address of this machine, got: "
            f"{error.strerror or error}. Fix: --port 0 finds a free port"
        ) from error


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    return ipaddress.ip_address(host).is_loopback
