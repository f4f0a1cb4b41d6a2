"""The API reference: one page for each sub-package, made from the docstrings of its modules.

The pages only name the modules; Sphinx imports them and reads the docstrings. A module that cannot
be imported is a warning there, and a warning fails the build, so nothing is left out in silence.
"""

import ast
from pathlib import Path

INDEX = "api/index.md"
_INTRODUCTION = """# The package

`llm_course` is imported by every notebook and can be used on its own. One concept to a file; a
package imports only from those that stand before it in this list. Shapes are written with the same
letters everywhere: `b` batch, `h` heads, `g` key-value groups, `q` and `k` positions, `t` time,
`d` features, `v` vocabulary.

| Package | What it holds |
|---|---|
"""


def pages(package: Path) -> dict[str, str]:
    """The pages of the reference: an index, and one page for each group of modules.

    Args:
        package: the folder of the package.
    """
    groups = modules(package)
    rows = [
        f"| {{doc}}`{name} <modules/{name}>` | {summary(_source(package, name))} |\n"
        for name in sorted(groups)
    ]
    index = {INDEX: _INTRODUCTION + "".join(rows)}
    return index | {f"api/modules/{name}.rst": page(name, groups[name]) for name in groups}


def modules(package: Path) -> dict[str, list[str]]:
    """The dotted names of all modules, grouped by sub-package; the top level is its own group."""
    groups: dict[str, list[str]] = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        if parts[-1] != "__init__":
            group = ".".join(parts[:2]) if len(parts) > 2 else parts[0]
            groups.setdefault(group, []).append(".".join(parts))
    return groups


def page(group: str, names: list[str]) -> str:
    """One page, in reStructuredText.

    >>> print(page("llm_course.model", ["llm_course.model.norms"]))
    llm_course.model
    ================
    <BLANKLINE>
    .. automodule:: llm_course.model
    <BLANKLINE>
    norms
    -----
    <BLANKLINE>
    .. automodule:: llm_course.model.norms
       :members:
       :undoc-members:
       :show-inheritance:
    <BLANKLINE>
    """
    lines = [group, "=" * len(group), "", f".. automodule:: {group}", ""]
    for name in names:
        title = name.removeprefix(f"{group}.")
        lines += [title, "-" * len(title), "", f".. automodule:: {name}"]
        lines += ["   :members:", "   :undoc-members:", "   :show-inheritance:", ""]
    return "\n".join(lines)


def summary(source: str) -> str:
    """The first line of a module's docstring, empty when it has none.

    >>> summary('\"\"\"Norms of every kind.\"\"\"')
    'Norms of every kind.'
    """
    docstring = ast.get_docstring(ast.parse(source)) or ""
    return " ".join(docstring.split("\n\n")[0].split())


def _source(package: Path, group: str) -> str:
    """The text of a group's `__init__.py`."""
    path = package.parent / Path(*group.split(".")) / "__init__.py"
    return path.read_text(encoding="utf-8") if path.is_file() else ""
