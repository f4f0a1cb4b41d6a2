"""Pages that can be mailed and opened anywhere: one file, no script, nothing fetched.

Every value is escaped by the template engine, a value that is missing is an error, and the page
forbids its reader's browser to run or load anything, whatever may be in it.
"""

import functools
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, **values: Any) -> str:
    """The page that a file of `templates` makes of `values`."""
    return _environment().get_template(template).render(**values)


@functools.cache
def _environment() -> Environment:
    """Jinja, escaping everything."""
    return Environment(
        loader=PackageLoader("llm_course.classroom.grade.outputs", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
