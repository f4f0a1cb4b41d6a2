"""Heads: cutting the features into them, sharing key-value heads, and putting them together."""

from einops import repeat
from torch import Tensor

from llm_course.shapes import ShapeError, check_shape


def check_heads(d_model: int, n_heads: int, n_kv_heads: int | None = None) -> None:
    """Refuse heads that do not share the features evenly, or groups that do not share the heads.

    Raises:
        ShapeError: a count does not divide.

    >>> check_heads(d_model=8, n_heads=3)
    Traceback (most recent call last):
    ...
    llm_course.shapes.ShapeError: n_heads: expected a divisor of d_model=8, got 3.
    """
    if n_heads < 1 or d_model % n_heads:
        raise ShapeError(f"n_heads: expected a divisor of d_model={d_model}, got {n_heads}.")
    if n_kv_heads is not None and (n_kv_heads < 1 or n_heads % n_kv_heads):
        raise ShapeError(f"n_kv_heads: expected a divisor of n_heads={n_heads}, got {n_kv_heads}.")


def repeat_kv_heads(x: Tensor, n_heads: int, name: str = "key") -> Tensor:
    """Give each query head its key-value head: consecutive query heads share one.

    Args:
        x: keys or values, with one head for each group.
        n_heads: number of query heads.
        name: how the caller names the tensor; it opens the message.

    Shapes:
        x ``b g k d``; returns ``b h k d``.

    Raises:
        ShapeError: the groups do not divide the query heads.

    Source:
        Ainslie et al. 2023, arXiv:2305.13245, section 2.2.

    >>> import torch
    >>> repeat_kv_heads(torch.tensor([5.0, 7.0]).reshape(1, 2, 1, 1), n_heads=4).flatten().tolist()
    [5.0, 5.0, 7.0, 7.0]
    """
    n_groups = check_groups(x, n_heads, name)
    return repeat(x, "b g k d -> b (g shared) k d", shared=n_heads // n_groups)


def check_groups(x: Tensor, n_heads: int, name: str = "key") -> int:
    """How many key-value heads there are, once they are known to divide the query heads.

    Shapes:
        x ``b g k d``.

    Raises:
        ShapeError: they do not.

    >>> import torch
    >>> check_groups(torch.zeros(1, 2, 5, 8), n_heads=6)
    2
    """
    n_groups = check_shape(x, "b g k d", name)["g"]
    if n_groups == 0 or n_heads % n_groups:
        raise ShapeError(
            f"{name}: expected heads that divide n_heads={n_heads}, got {n_groups} "
            f"in shape {tuple(x.shape)} (b g k d)."
        )
    return n_groups


def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """Cut the features into heads: ``b t (h d) -> b h t d``."""
    # einops costs more than the work where one token a text passes, as in decoding.
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)  # b t (h d) -> b t h d -> b h t d


def merge_heads(x: Tensor) -> Tensor:
    """Lay the heads side by side again: ``b h t d -> b t (h d)``."""
    return x.transpose(1, 2).flatten(2)  # b h t d -> b t h d -> b t (h d)
