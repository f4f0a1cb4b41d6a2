"""The weights of one model under two sets of names, translated by a table.

A table has one line for each kind of layer, without ``.weight`` and ``.bias``; ``{i}`` stands for
the number of the block: ``{"blk.{i}.attn_q": "blocks.{i}.attention.query"}``.
"""

from collections.abc import Mapping

from llm_course.errors import CourseError


def expand(table: Mapping[str, str], n_layers: int) -> dict[str, str]:
    """The table with a line for each block.

    >>> expand({"wte": "embedding", "h.{i}.ln_1": "blocks.{i}.attention_norm"}, n_layers=2)
    {'wte': 'embedding', 'h.0.ln_1': 'blocks.0.attention_norm', 'h.1.ln_1': 'blocks.1.attention_norm'}
    """  # noqa: E501
    return {
        theirs.replace("{i}", str(i)): ours.replace("{i}", str(i))
        for theirs, ours in table.items()
        for i in range(n_layers if "{i}" in theirs else 1)
    }


def invert(table: Mapping[str, str]) -> dict[str, str]:
    """The table for the way back.

    >>> invert({"wte": "embedding"})
    {'embedding': 'wte'}
    """
    return {ours: theirs for theirs, ours in table.items()}


def renamed(name: str, expanded: Mapping[str, str], source: str) -> str:
    """One tensor's other name.

    Args:
        name: a tensor's name with its last part, ``weight`` or ``bias``.
        expanded: the table, from ``expand``.
        source: where the tensor comes from; it opens the message.

    Raises:
        CourseError: the table has no line for it, so the model has a part that is unknown here.

    >>> renamed("wte.weight", {"wte": "embedding"}, "model.safetensors")
    'embedding.weight'
    """
    layer, _, last = name.rpartition(".")
    if layer not in expanded:
        raise CourseError(
            f"{source}: expected the weights that its architecture names, got {name!r} besides. "
            "Fix: use a model without additions to its architecture"
        )
    return f"{expanded[layer]}.{last}"
