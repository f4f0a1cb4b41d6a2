"""Chat templates: a conversation becomes one text, in the format a model was tuned on.

A template is a Jinja program that comes with the weights, so it is a stranger's code: it runs in
Jinja's sandbox, sees plain text only, and can change nothing. The environment is the one that
templates are written for (Hugging Face's): blocks leave no white space behind, and
``raise_exception``, ``strftime_now`` and ``tojson`` exist.

Leaves out tools, documents, content in parts (images), and ``{% generation %}`` marks.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llm_course.errors import CourseError

Message = Mapping[str, str]
"""``{"role": "user", "content": "Hello"}``; the role is system, user or assistant."""


def render_chat(
    template: str,
    messages: Sequence[Message],
    add_generation_prompt: bool = False,
    now: datetime | None = None,
    **variables: str,
) -> str:
    """The conversation as one text.

    Args:
        template: the Jinja source.
        messages: what was said, in order.
        add_generation_prompt: whether the text ends with the opening of the assistant's turn.
        now: the time that the template sees; the clock's if not given.
        variables: further names that the template reads, such as ``bos_token``.

    Raises:
        ValueError: a message lacks its role or its content, or they are not text.
        CourseError: the template is broken, or it refuses the conversation.

    >>> template = '''{% for message in messages %}
    ...     {% if message.role == "user" %}
    ... > {{ message.content }}
    ...     {% endif %}
    ... {% endfor %}
    ... '''
    >>> render_chat(template, [{"role": "user", "content": "Hello"}])
    '> Hello\\n'
    """
    for position, message in enumerate(messages):
        if not all(isinstance(message.get(key), str) for key in ("role", "content")):
            raise ValueError(
                f"messages: expected text under 'role' and 'content', got {dict(message)!r} "
                f"at position {position}."
            )
    try:
        return _compiled(template).render(
            messages=[dict(message) for message in messages],
            add_generation_prompt=add_generation_prompt,
            strftime_now=lambda pattern: (now or datetime.now()).strftime(pattern),
            **variables,
        )
    except TemplateError as error:
        raise CourseError(
            f"chat template: {' '.join(str(error).split())} "
            "Fix: change the order or the roles of the messages, or use the model's own template"
        ) from error


@lru_cache(maxsize=32)
def _compiled(template: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _raise_exception
    environment.filters["tojson"] = _to_json
    return environment.from_string(template)


def _raise_exception(message: str) -> None:
    """What a template calls to refuse a conversation."""
    raise TemplateError(message)


def _to_json(value: object, indent: int | None = None, ensure_ascii: bool = False) -> str:
    """Plain JSON; Jinja's own filter escapes for HTML."""
    return json.dumps(value, indent=indent, ensure_ascii=ensure_ascii)
