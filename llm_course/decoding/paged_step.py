"""One call of the model over a paged cache: the newest tokens of several sequences.

It is to ``PagedCache`` what ``KVCacheStep`` is to ``KVCache``: the model sees no difference. The
blocks of a layer are gathered into one piece when that layer is computed, by one copy of whole
blocks; a kernel made for the purpose reads them where they lie.
"""

from collections.abc import Sequence

import torch
from einops import rearrange
from torch import Tensor

from llm_course.decoding.paged_cache import PagedCache
from llm_course.shapes import check_shape


class PagedStep:
    """Room for the last ``n_tokens`` tokens of each sequence, which was made by ``extend``.

    Args:
        cache: what the sequences lie in.
        sequences: one a row of the batch.
        n_tokens: how many of the last tokens of each the call brings.

    Raises:
        ValueError: there is no sequence, or one is shorter.

    >>> cache = PagedCache(1, 1, 1, n_blocks=4, block_size=2)
    >>> first, second = cache.start(), cache.start()
    >>> _ = cache.extend(first, 3), cache.extend(second, 1)
    >>> step = PagedStep(cache, [first, second], n_tokens=1)
    >>> step.positions.tolist(), step.n_keys
    ([[2], [0]], 3)
    """

    def __init__(self, cache: PagedCache, sequences: Sequence[int], n_tokens: int) -> None:
        lengths = [cache.length(sequence) for sequence in sequences]
        if not lengths or not 1 <= n_tokens <= min(lengths):
            raise ValueError(
                f"n_tokens: expected 1 to the length of the shortest of {len(lengths)} sequences, "
                f"got {n_tokens}. Fix: extend them first."
            )
        self._cache, device = cache, cache.keys.device
        self.n_keys = max(lengths)
        new = torch.arange(n_tokens, device=device)
        starts = torch.tensor([length - n_tokens for length in lengths], device=device)
        alike = min(lengths) == self.n_keys
        self.positions = starts[0] + new if alike else rearrange(starts, "b -> b 1") + new
        self._slots = torch.cat(
            [cache.slots(s, n - n_tokens) for s, n in zip(sequences, lengths, strict=True)]
        )
        # A shorter table is padded with the sequence's own first block. Those keys are masked, but
        # a kernel computes with them all the same: they must not be another's, which may be NaN.
        tables = [cache.table(sequence) for sequence in sequences]
        width = max(map(len, tables))
        padded = torch.tensor([t + t[:1] * (width - len(t)) for t in tables], device=device)
        heads = torch.arange(cache.keys.shape[2], device=device)
        blocks = rearrange(padded, "b m -> b 1 m") * len(heads) + rearrange(heads, "g -> g 1")
        self._blocks = rearrange(blocks, "b g m -> (b g m)")

    def update(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Write one layer's keys and values to their blocks; gather those of all tokens.

        Shapes:
            key, value ``b g t d``; returns two tensors ``b g k d``.

        Raises:
            ShapeError: the sizes do not fit.
        """
        for name, new in (("key", key), ("value", value)):
            n_rows = len(self._slots) // self.positions.shape[-1]
            check_shape(new, "b g t d", name, b=n_rows, t=self.positions.shape[-1])
        new = (rearrange(x, "b g t d -> g (b t) d") for x in (key, value))
        self._cache.write(layer, self._slots, *new)
        return (
            self._gather(self._cache.keys[layer], len(key)),
            self._gather(self._cache.values[layer], len(key)),
        )

    def _gather(self, pool: Tensor, n_rows: int) -> Tensor:
        n_heads = pool.shape[1]
        rows = rearrange(pool, "n g s d -> (n g) (s d)").index_select(0, self._blocks)
        gathered = rearrange(
            rows, "(b g m) (s d) -> b g (m s) d", b=n_rows, g=n_heads, d=pool.shape[-1]
        )
        return gathered[:, :, : self.n_keys]
