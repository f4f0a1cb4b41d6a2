"""What a server cannot be set up to."""

from dataclasses import fields

import pytest

from llm_course.serving.server_config import ServerConfig

LIMITS = [field.name for field in fields(ServerConfig) if field.name not in ("host", "port")]


@pytest.mark.parametrize("field", LIMITS)
@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_a_limit_is_a_positive_integer(field, value):
    with pytest.raises(ValueError, match=f"{field}: expected a positive integer"):
        ServerConfig(**{field: value})


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_does_not_exist_is_refused(port):
    with pytest.raises(ValueError, match="port"):
        ServerConfig(port=port)
