"""How a weight lies in memory: the same numbers, in the order that one product reads fastest.

A linear layer keeps its matrix row by row, a row for each output. With one text, decoding
multiplies a single vector by it, and the CPU's routine for that is faster on matrices with many
rows if they lie column by column. With many texts the two orders cost about the same.
"""

from torch import nn


def lay_out_by_columns(model: nn.Module) -> None:
    """Reorder the memory of matrices that have more rows than columns; no value changes.

    For a model that only decodes, one text at a time. To save it, load it again: files hold
    matrices row by row.

    Args:
        model: whose linear layers and embeddings are reordered, in place; a matrix that two of them
            share stays shared.

    >>> import torch
    >>> layer = nn.Linear(2, 3, bias=False)
    >>> before = layer(torch.ones(2))
    >>> lay_out_by_columns(layer)
    >>> layer.weight.stride(), torch.equal(layer(torch.ones(2)), before)
    ((1, 3), True)
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            weight = module.weight
            if weight.shape[0] >= weight.shape[1] and weight.is_contiguous():
                weight.data = weight.data.T.contiguous().T
