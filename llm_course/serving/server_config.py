"""How a server is set up, and what it bears: every limit has its place here."""

from dataclasses import dataclass, fields

from llm_course.model.config_parts import check_size


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """Where a server listens and how much one request may ask of it.

    How much all of them may ask together is the engine's: ``EngineConfig``.

    Args:
        host: the address it listens at; the default can be reached from this machine only.
        port: the port; 0 lets the system choose one that is free.
        max_body_bytes: the longest body of a request.
        max_new_tokens: the most tokens that a text may ask for.
        max_texts: the most texts that a request may ask for: prompts times ``n``.
        max_requests: the most requests that are answered at a time; one more is refused.
        body_seconds: how long the body of a request may take to arrive.
        shutdown_seconds: how long running texts may go on once the server is to end.

    Raises:
        ValueError: a number is not positive, or there is no such port.

    >>> ServerConfig(max_texts=0)
    Traceback (most recent call last):
    ...
    ValueError: max_texts: expected a positive integer, got 0.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    max_body_bytes: int = 2**20
    max_new_tokens: int = 1024
    max_texts: int = 16
    max_requests: int = 256
    body_seconds: int = 30
    shutdown_seconds: int = 10

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name not in ("host", "port"):
                check_size(field.name, getattr(self, field.name))
        if not 0 <= self.port < 2**16:
            raise ValueError(f"port: expected 0 to 65535, got {self.port}.")
