"""Query, key and value in one matrix, as GPT-2 and BLOOM keep them, and as three, as we do.

How the three lie in the one differs: side by side, or head by head. The layouts say it, as two
functions.
"""

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

FUSED = "query_key_value"
"""The name of the one, in the place where the three have ``query``, ``key`` and ``value``."""

PARTS = ("query", "key", "value")


def cut_fused(
    weights: Mapping[str, Tensor], cut: Callable[[Tensor], Sequence[Tensor]]
) -> dict[str, Tensor]:
    """Every fused tensor as three, in place of the one.

    >>> import torch
    >>> weights = cut_fused({"a.query_key_value.bias": torch.arange(6)}, lambda x: x.chunk(3))
    >>> {name: weight.tolist() for name, weight in weights.items()}
    {'a.query.bias': [0, 1], 'a.key.bias': [2, 3], 'a.value.bias': [4, 5]}
    """
    split = {}
    for name, weight in weights.items():
        if FUSED in name:
            # Cloned: three views of one tensor would be stored three times over.
            pieces = zip(PARTS, cut(weight), strict=True)
            split |= {name.replace(FUSED, part): piece.clone() for part, piece in pieces}
        else:
            split[name] = weight
    return split


def join_fused(
    weights: Mapping[str, Tensor], join: Callable[[Sequence[Tensor]], Tensor]
) -> dict[str, Tensor]:
    """The way back: every three tensors as one.

    >>> import torch
    >>> three = {f"a.{part}.bias": torch.tensor([i]) for i, part in enumerate(PARTS)}
    >>> join_fused(three, torch.cat)
    {'a.query_key_value.bias': tensor([0, 1, 2])}
    """
    joined = {}
    for name, weight in weights.items():
        part = name.split(".")[-2] if "." in name else ""
        if part == "query":
            three = [weights[name.replace(".query.", f".{other}.")] for other in PARTS]
            joined[name.replace(".query.", f".{FUSED}.")] = join(three)
        elif part not in PARTS:
            joined[name] = weight
    return joined
