"""The KV cache: keys and values of every token so far, in memory that is taken once.

Without it a decoder computes the whole text again for every token it writes. Keys and values
depend on earlier tokens only, so they stay what they are: a new token needs its own, and reads the
others. Room for the longest text is taken at once and filled from the front, so that nothing is
copied as the text grows. Leaves out sharing of memory between texts: see ``paged_cache``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from llm_course.shapes import check_shape


class KVCache:
    """Keys and values of all layers, for a batch of texts that may differ in length.

    The token at position ``p`` of a text lies in place ``p`` of its row. For new tokens call
    ``step = cache.extend(n_tokens)`` and then ``model(tokens, cache=step)``.

    Args:
        n_layers: layers of the model.
        n_kv_heads: key-value heads of a layer.
        d_head: features of a head.
        n_rows: texts of the batch.
        n_places: tokens of the longest text that there is room for.
        dtype: of the keys and values.
        device: where they are kept.

    Raises:
        ValueError: a size is not positive.

    Source:
        Pope et al. 2022, arXiv:2211.05102, section 2.1.

    >>> cache = KVCache(1, 1, 1, n_rows=1, n_places=4)
    >>> prompt = torch.tensor([5.0, 6.0]).reshape(1, 1, 2, 1)
    >>> _ = cache.extend(2).update(0, prompt, prompt)
    >>> step = cache.extend(1)
    >>> key, value = step.update(0, torch.full((1, 1, 1, 1), 7.0), torch.zeros(1, 1, 1, 1))
    >>> step.positions.tolist(), key.flatten().tolist()
    ([2], [5.0, 6.0, 7.0])
    """

    def __init__(
        self,
        n_layers: int,
        n_kv_heads: int,
        d_head: int,
        *,
        n_rows: int,
        n_places: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        sizes = {"n_layers": n_layers, "n_kv_heads": n_kv_heads, "d_head": d_head}
        for name, size in {**sizes, "n_rows": n_rows, "n_places": n_places}.items():
            if size < 1:
                raise ValueError(f"{name}: expected at least 1, got {size}.")
        # Zeros, not whatever was in memory: a masked NaN would still spoil the sum (0 * NaN = NaN).
        shape = (n_rows, n_kv_heads, n_places, d_head)  # b g k d
        self.keys = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(n_layers)]
        self.values = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(n_layers)]
        self.lengths = [0] * n_rows

    @property
    def n_places(self) -> int:
        """Tokens of the longest text that there is room for."""
        return self.keys[0].shape[2]

    @property
    def n_bytes(self) -> int:
        """Memory of the keys and values, in bytes."""
        return sum(kept.nbytes for kept in (*self.keys, *self.values))

    def extend(self, n_tokens: int, counts: Sequence[int] | None = None) -> "KVCacheStep":
        """Make every text longer, and return what the model needs to fill the new places.

        Args:
            n_tokens: tokens that each row of the next call has.
            counts: how many of them belong to the text, for each row; the others are padding on
                the right, which later tokens overwrite. All of them if not given.

        Raises:
            ValueError: there is no room, or a count is not between 0 and ``n_tokens``.
        """
        counts = [n_tokens] * len(self.lengths) if counts is None else list(counts)
        if len(counts) != len(self.lengths) or not all(0 <= n <= n_tokens for n in counts):
            raise ValueError(
                f"counts: expected {len(self.lengths)} numbers from 0 to n_tokens={n_tokens}, "
                f"got {counts}."
            )
        starts, room = self.lengths, self.n_places - max(self.lengths)
        if not 1 <= n_tokens <= room:
            raise ValueError(
                f"n_tokens: expected 1 to {room}, the room of the longest text, got {n_tokens}. "
                "Fix: make a cache with more places."
            )
        self.lengths = [start + n for start, n in zip(starts, counts, strict=True)]
        device = self.keys[0].device
        new = torch.arange(n_tokens, device=device)
        if min(starts) == max(starts):
            return KVCacheStep(self, starts[0] + new, starts[0] + n_tokens)
        first = torch.tensor(starts, device=device)
        positions = rearrange(first, "b -> b 1") + new
        return KVCacheStep(self, positions, max(starts) + n_tokens)

    def truncate(self, lengths: Sequence[int]) -> None:
        """Forget the last tokens, such as those of a draft that was not accepted.

        Raises:
            ValueError: a length is negative or longer than its text is.
        """
        held = self.lengths
        if len(lengths) != len(held) or not all(
            0 <= new <= old for new, old in zip(lengths, held, strict=True)
        ):
            raise ValueError(f"lengths: expected at most {held}, got {list(lengths)}.")
        self.lengths = list(lengths)

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows in this order; a row may be left out, or occur several times.

        Beam search goes on with the best of its rows, generation without those that ended.

        Raises:
            IndexError: there is no such row.
        """
        if list(rows) == list(range(len(self.lengths))):
            return
        self.lengths = [self.lengths[row] for row in rows]
        chosen = torch.tensor(rows, dtype=torch.int64, device=self.keys[0].device)
        used = max(self.lengths, default=0)
        for kept in (self.keys, self.values):
            for layer, tensor in enumerate(kept):
                moved = tensor[chosen, :, :used]
                if len(chosen) != len(tensor):
                    kept[layer] = tensor.new_zeros(len(chosen), *tensor.shape[1:])
                kept[layer][:, :, :used] = moved


@dataclass(frozen=True)
class KVCacheStep:
    """Room for the tokens of one call, as ``model.cache.CacheStep`` describes it.

    Args:
        cache: what the room belongs to.
        positions: of the new tokens, ``t`` or ``b t``.
        n_keys: keys up to the last of them.
    """

    cache: KVCache
    positions: Tensor
    n_keys: int

    def update(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Write one layer's keys and values to their places; return all up to the last.

        Shapes:
            key, value ``b g t d``; returns two tensors ``b g k d``, views of the cache.

        Raises:
            ShapeError: the sizes do not fit.
        """
        return (
            self._write(self.cache.keys[layer], key, "key"),
            self._write(self.cache.values[layer], value, "value"),
        )

    def _write(self, kept: Tensor, new: Tensor, name: str) -> Tensor:
        rows, heads, _, features = kept.shape
        n_tokens = self.positions.shape[-1]
        check_shape(new, "b g t d", name, b=rows, g=heads, t=n_tokens, d=features)
        if self.positions.dim() == 1:
            kept[:, :, self.n_keys - n_tokens : self.n_keys] = new
        else:
            _scatter(kept, new, self.positions)
        return kept[:, :, : self.n_keys]


def cache_update(kept: Tensor, new: Tensor, lengths: Tensor) -> Tensor:
    """Write new tokens behind those that each row has, in place, and return the cache.

    Args:
        kept: keys or values of one layer, with room behind the texts.
        new: those of the new tokens.
        lengths: how many places of each row are filled.

    Shapes:
        kept ``b g n d``, new ``b g t d``, lengths ``b``; returns ``b g n d``.

    Raises:
        ShapeError: the sizes do not fit.
        ValueError: a row has no room.

    >>> kept, new = torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[2.0], [3.0]])
    >>> kept, new = (rearrange(x, "b t -> b 1 t 1") for x in (kept, new))
    >>> cache_update(kept, new, torch.tensor([1, 0])).flatten().tolist()
    [1.0, 2.0, 3.0, 0.0]
    """
    rows, heads, n_places, features = kept.shape
    check_shape(new, "b g t d", "new", b=rows, g=heads, d=features)
    check_shape(lengths, "b", "lengths", b=rows)
    n_new = new.shape[2]
    if lengths.max() + n_new > n_places:
        raise ValueError(
            f"lengths: expected at most {n_places - n_new}, so that {n_new} tokens have room in "
            f"{n_places} places, got {lengths.max()}. Fix: make a cache with more places."
        )
    return _scatter(kept, new, rearrange(lengths, "b -> b 1") + torch.arange(n_new).to(lengths))


def _scatter(kept: Tensor, new: Tensor, positions: Tensor) -> Tensor:
    """Token ``t`` of row ``b`` goes to place ``positions[b, t]`` of its row."""
    row = torch.arange(len(kept), device=kept.device)
    places = rearrange(row, "b -> b 1"), slice(None), positions
    kept[places] = rearrange(new, "b g t d -> b t g d").to(kept.dtype)
    return kept
