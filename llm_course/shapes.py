"""Shape checks whose message shows everything: the name, the letters, the sizes.

The letters are the course's own: `b` batch, `h` heads, `g` key-value groups, `q`/`k` query and
key positions, `t` time, `d` features, `v` vocabulary.
"""

from functools import cache

from torch import Tensor


class ShapeError(ValueError):
    """A tensor has another shape than the formula needs."""


def check_shape(tensor: Tensor, pattern: str, name: str, **sizes: int) -> dict[str, int]:
    """Check `tensor` against `pattern` and return the size of each letter.

    Args:
        tensor: the tensor to check.
        pattern: one word for each axis, as in einops: `"b h k d"`. `...` as first word stands
            for any number of leading axes.
        name: how the caller names the tensor; it opens the message.
        sizes: the sizes that are already known, by word.

    Raises:
        ShapeError: the number of axes or a known size differs.

    >>> import torch
    >>> check_shape(torch.zeros(2, 4, 3, 6), "b h k d", "key", h=4)
    {'b': 2, 'h': 4, 'k': 3, 'd': 6}
    >>> check_shape(torch.zeros(2, 4, 3, 6), "b h k d", "key", d=8)
    Traceback (most recent call last):
    ...
    llm_course.shapes.ShapeError: key: expected d=8, got 6 in shape (2, 4, 3, 6) (b h k d).
    """
    words = _words(pattern)
    shape = tuple(tensor.shape)
    if words[0] == "...":
        words = words[1:]
        fits, axes = len(shape) >= len(words), shape[len(shape) - len(words) :]
    else:
        fits, axes = len(shape) == len(words), shape
    if not fits:
        raise ShapeError(f"{name}: expected {len(words)} axes ({pattern}), got shape {shape}.")
    found = dict(zip(words, axes, strict=True))
    for word, size in sizes.items():
        if found.get(word, size) != size:
            raise ShapeError(
                f"{name}: expected {word}={size}, got {found[word]} in shape {shape} ({pattern})."
            )
    return found


@cache
def _words(pattern: str) -> tuple[str, ...]:
    """The letters of a pattern; a model asks for the same few thousands of times a second."""
    return tuple(pattern.split())
