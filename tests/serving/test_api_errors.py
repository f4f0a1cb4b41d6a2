"""Errors as OpenAI's clients read them."""

import pytest

from llm_course.serving.api_errors import ApiError, invalid


@pytest.mark.parametrize(
    ("status", "kind", "again"),
    [
        (400, "invalid_request_error", False),
        (413, "invalid_request_error", False),
        (429, "rate_limit_error", True),
        (503, "overloaded_error", True),
        (500, "server_error", False),
    ],
)
def test_the_kind_follows_from_the_status(status, kind, again):
    error = ApiError(status, "message", param="n", code="code")
    assert error.body() == {
        "error": {"message": "message", "type": kind, "param": "n", "code": "code"}
    }
    assert ("retry-after" in error.headers) == again


def test_a_message_opens_with_its_parameter():
    error = invalid("n", "expected 1.")
    assert (str(error), error.param, error.status) == ("n: expected 1.", "n", 400)
