"""A Sphinx extension: Google-style docstrings, with those of properties read like all others.

Napoleon reads the docstring of a property or attribute as ``type: description``, so that "Features
of one head: a whole number" would become a type. Ours are sentences.
"""

from sphinx.application import Sphinx
from sphinx.ext.napoleon.docstring import GoogleDocstring


def setup(app: Sphinx) -> dict[str, bool]:
    """Load Napoleon and correct it; Sphinx calls this because `_config.yml` names this module."""
    app.setup_extension("sphinx.ext.napoleon")
    GoogleDocstring._parse_attribute_docstring = whole_docstring
    return {"parallel_read_safe": True}


def whole_docstring(docstring: GoogleDocstring) -> list[str]:
    """The lines of a docstring without its indentation."""
    return docstring._dedent(docstring._consume_to_end())
