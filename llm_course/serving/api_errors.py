"""What goes wrong, in the shape in which OpenAI's clients expect it."""

from typing import Any

_KINDS = {
    400: "invalid_request_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    408: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
}


class ApiError(Exception):
    """A request that cannot be answered.

    Args:
        status: the HTTP status.
        message: what was expected, what came, what to do.
        param: the parameter at fault.
        code: the kind of fault, for programs.

    >>> ApiError(400, "n: expected 1 to 4, got 9.", param="n", code="invalid_value").body()["error"]
    {'message': 'n: expected 1 to 4, got 9.', 'type': 'invalid_request_error', 'param': 'n', \
'code': 'invalid_value'}
    """

    def __init__(
        self, status: int, message: str, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code

    @property
    def headers(self) -> dict[str, str]:
        """When to come back, for those who may."""
        return {"retry-after": "1"} if self.status in (429, 503) else {}

    def body(self) -> dict[str, Any]:
        """What the client gets, as JSON."""
        kind = _KINDS.get(self.status, "server_error")
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return {"error": error}


def invalid(param: str, message: str, code: str = "invalid_value") -> ApiError:
    """A parameter that cannot be what it is; the message opens with its name."""
    return ApiError(400, f"{param}: {message}", param=param, code=code)
