"""The rolling cache of the Λ: the first tokens stay, the others make room for the newest.

Its memory is that of ``n_sinks + window`` tokens, however long the text. Keys are kept before
rotation, for their place among the kept ones changes with every token (``lambda_attention``).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from llm_course.long_context.lambda_attention import check_lambda
from llm_course.shapes import check_shape


def kept_tokens(n_seen: int, n_sinks: int, window: int) -> Tensor:
    """Which tokens the cache holds once it has seen ``n_seen``, in the order of the text.

    The first ``n_sinks``, and the last ``window`` of the others. Where a token stands in this list
    is the position that it is rotated to.

    Shapes:
        returns ``k`` with ``k = min(n_seen, n_sinks + window)``.

    Raises:
        ValueError: a size is out of range, or the sinks are more than the window.

    Source:
        Xiao et al. 2023, arXiv:2309.17453, section 3.2 and figure 4.

    >>> kept_tokens(8, n_sinks=1, window=3).tolist()
    [0, 5, 6, 7]
    """
    check_lambda(n_sinks, window)
    return _sinks_and_last(n_seen, n_sinks, window)


def cache_place(token: int, n_sinks: int, window: int) -> int:
    """Where in memory a token is kept: a sink in its own place, the others in a ring.

    ``token`` if ``token < n_sinks``, else ``n_sinks + (token - n_sinks) mod window``: the place of
    the token that it pushes out.

    Raises:
        ValueError: a number is out of range.

    >>> [cache_place(token, n_sinks=1, window=3) for token in range(8)]
    [0, 1, 2, 3, 1, 2, 3, 1]
    """
    check_lambda(n_sinks, window)
    if token < 0:
        raise ValueError(f"token: expected 0 or more, got {token}.")
    return int(_places(torch.tensor(token), n_sinks, window))


def held_tokens(n_seen: int, n_sinks: int, window: int) -> list[int | None]:
    """The token in each place of the cache once it has seen ``n_seen``; None where nothing lies.

    Raises:
        ValueError: a size is out of range, or the sinks are more than the window.

    >>> held_tokens(6, n_sinks=1, window=3)
    [0, 4, 5, 3]
    """
    tokens = kept_tokens(n_seen, n_sinks, window)
    held: list[int | None] = [None] * (n_sinks + window)
    for place, token in zip(
        _places(tokens, n_sinks, window).tolist(), tokens.tolist(), strict=True
    ):
        held[place] = token
    return held


class RollingCache:
    """Keys and values of the sinks and of the last tokens, for a batch of equally long texts.

    For new tokens call ``step = cache.extend(n_tokens)`` and then ``model(tokens, cache=step)``
    with a ``lambda_model`` of the same Λ.

    Args:
        n_layers: layers of the model.
        n_kv_heads: key-value heads of a layer.
        d_head: features of a head.
        n_rows: texts of the batch.
        n_sinks: as in ``lambda_mask``.
        window: as there.
        dtype: of the keys and values.
        device: where they are kept.

    Raises:
        ValueError: a size is out of range.

    Source:
        Xiao et al. 2023, arXiv:2309.17453, section 3.2.

    >>> cache = RollingCache(1, 1, 1, n_rows=1, n_sinks=1, window=2)
    >>> for number in (5.0, 6.0, 7.0, 8.0):
    ...     new = torch.full((1, 1, 1, 1), number)
    ...     key, _ = cache.extend(1).update(0, new, new)
    >>> key.flatten().tolist(), cache.n_seen
    ([5.0, 7.0, 8.0], 4)
    """

    def __init__(
        self,
        n_layers: int,
        n_kv_heads: int,
        d_head: int,
        *,
        n_rows: int,
        n_sinks: int,
        window: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        sizes = {"n_layers": n_layers, "n_kv_heads": n_kv_heads, "d_head": d_head}
        for name, size in {**sizes, "n_rows": n_rows}.items():
            if size < 1:
                raise ValueError(f"{name}: expected at least 1, got {size}.")
        check_lambda(n_sinks, window)
        self.n_sinks, self.window, self.n_seen = n_sinks, window, 0
        shape = (n_rows, n_kv_heads, n_sinks + window, d_head)  # b g k d
        self.keys = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(n_layers)]
        self.values = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(n_layers)]

    @property
    def n_bytes(self) -> int:
        """Memory of the keys and values, in bytes."""
        return sum(kept.nbytes for kept in (*self.keys, *self.values))

    def extend(self, n_tokens: int) -> "RollingStep":
        """Say that new tokens come, and return what the model needs to see them.

        Several at once are read faster and need, during the call, the memory of as many more.

        Raises:
            ValueError: there are none.
        """
        if n_tokens < 1:
            raise ValueError(f"n_tokens: expected 1 or more, got {n_tokens}.")
        n_before, self.n_seen = self.n_seen, self.n_seen + n_tokens
        device = self.keys[0].device
        # The first new token sees itself and window - 1 before: the oldest one is not read again.
        old = _sinks_and_last(n_before, self.n_sinks, self.window - 1).to(device)
        n_keys = len(old) + n_tokens
        return RollingStep(
            self,
            torch.arange(len(old), n_keys, device=device),
            n_keys,
            _places(old, self.n_sinks, self.window),
            n_before,
        )


@dataclass(frozen=True)
class RollingStep:
    """Room for the tokens of one call, as ``model.cache.CacheStep`` describes it.

    Args:
        cache: what the room belongs to.
        positions: of the new tokens among the keys, ``t``.
        n_keys: keys that they see, the new ones counted.
        places: where the earlier ones of these are kept, in the order of the text.
        n_before: tokens that the cache had seen.
    """

    cache: RollingCache
    positions: Tensor
    n_keys: int
    places: Tensor
    n_before: int

    def update(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keep one layer's keys and values of the new tokens; return those that they may see.

        Shapes:
            key, value ``b g t d``; returns two tensors ``b g k d`` with ``k = n_keys``.

        Raises:
            ShapeError: the sizes do not fit.
        """
        return (
            self._roll(self.cache.keys[layer], key, "key"),
            self._roll(self.cache.values[layer], value, "value"),
        )

    def _roll(self, kept: Tensor, new: Tensor, name: str) -> Tensor:
        rows, heads, _, features = kept.shape
        n_tokens, cache = len(self.positions), self.cache
        check_shape(new, "b g t d", name, b=rows, g=heads, t=n_tokens, d=features)
        seen = torch.cat((kept[:, :, self.places], new.to(kept.dtype)), dim=2)
        # Of the new tokens those that stay: later ones would overwrite the others in any order.
        stays = _sinks_and_last(self.n_before + n_tokens, cache.n_sinks, cache.window)
        stays = stays[stays >= self.n_before].to(kept.device)
        kept[:, :, _places(stays, cache.n_sinks, cache.window)] = seen[
            :, :, self.n_keys - n_tokens + stays - self.n_before
        ]
        return seen


def _sinks_and_last(n_seen: int, n_sinks: int, n_last: int) -> Tensor:
    """The first and the last tokens of a text, each once, in its order."""
    if n_seen < 0:
        raise ValueError(f"n_seen: expected 0 or more, got {n_seen}.")
    sinks = torch.arange(min(n_sinks, n_seen))
    return torch.cat((sinks, torch.arange(max(len(sinks), n_seen - n_last), n_seen)))


def _places(tokens: Tensor, n_sinks: int, window: int) -> Tensor:
    """``cache_place`` of every token."""
    return torch.where(tokens < n_sinks, tokens, n_sinks + (tokens - n_sinks) % window)
