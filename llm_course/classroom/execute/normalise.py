"""An executed notebook as a stable file: the same run gives the same bytes.

papermill adds a cell with the parameters, and times to every cell. The values go into the
notebook's own parameters cell, the times into the record beside the file. Widgets are dropped: they
are progress bars of libraries, have random ids, and a page would load their code from a network.
"""

import ast
from collections.abc import Iterable

import nbformat
from nbformat import NotebookNode

INJECTED = "injected-parameters"
WIDGET = "application/vnd.jupyter.widget-view+json"


def normalise(executed: NotebookNode, parameters: dict[str, object]) -> str:
    """The text of the executed notebook as the book takes it.

    Args:
        executed: what papermill returned.
        parameters: the values that it was given; they replace the defaults in the cell tagged
            ``parameters``.
    """
    cells = [cell for cell in executed.cells if INJECTED not in _tags(cell)]
    for cell in cells:
        if "parameters" in _tags(cell):
            cell.source = substituted(cell.source, parameters)
        if not _tags(cell):
            cell.metadata.pop("tags", None)
        for name in ("papermill", "execution"):
            cell.metadata.pop(name, None)
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if WIDGET not in out.get("data", {})]
    _number(cell for cell in cells if cell.cell_type == "code")
    executed.cells = cells
    for name in ("papermill", "widgets"):
        executed.metadata.pop(name, None)
    nbformat.validate(executed)
    return nbformat.writes(executed).rstrip("\n") + "\n"


def substituted(source: str, parameters: dict[str, object]) -> str:
    """The parameters cell with the values of this run, its comments kept.

    >>> print(substituted('SCALE = "cpu"  # or "gpu"\\nSEED = 0', {"SCALE": "gpu", "SEED": 3}))
    SCALE = "gpu"  # or "gpu"
    SEED = 3
    """
    lines = source.split("\n")
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            name, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            name, value = node.target, node.value
        else:
            continue
        if isinstance(name, ast.Name) and name.id in parameters and value.lineno == node.end_lineno:
            line = lines[value.lineno - 1].encode()  # columns of a syntax tree count bytes
            new = _literal(parameters[name.id], line[value.col_offset : value.end_col_offset])
            line = line[: value.col_offset] + new + line[value.end_col_offset :]
            lines[value.lineno - 1] = line.decode()
    return "\n".join(lines)


def _literal(value: object, old: bytes) -> bytes:
    """`value` as Python text, in the quotes that the default stood in."""
    text = repr(value)
    if isinstance(value, str) and old.startswith(b'"') and '"' not in value:
        text = f'"{text[1:-1]}"'
    return text.encode()


def _number(cells: Iterable[NotebookNode]) -> None:
    """Number the executed cells from 1, without the gap that the injected one left."""
    count = 0
    for cell in cells:
        if cell.get("execution_count") is None:
            continue
        count += 1
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


def _tags(cell: NotebookNode) -> list[str]:
    """The cell's tags."""
    return cell.metadata.get("tags", [])
