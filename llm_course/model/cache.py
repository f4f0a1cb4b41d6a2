"""What a decoder needs of a cache: the keys and values of the tokens that it read before.

Attention of a new token reads the keys and values of all tokens before it, and these never change.
Whoever keeps them passes a ``CacheStep`` to the decoder, which then computes the new tokens alone.
How they are kept (in one piece, in blocks) is not the model's business: see ``decoding``.
"""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

Remember = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""What keeps one layer's keys and values of the new tokens, ``b g t d``, and returns those of all
tokens so far, ``b g k d``."""


class CacheStep(Protocol):
    """A cache during one call of the model: room for the tokens that the call brings.

    The rows of a batch may differ in length. Then their positions differ, and behind the end of a
    shorter row lie keys that mean nothing; the decoder masks by position, so nobody sees them.
    """

    @property
    def positions(self) -> Tensor:
        """The position of each new token: ``t`` if all rows have the same length, else ``b t``."""

    @property
    def n_keys(self) -> int:
        """How many keys ``update`` returns: the keys of positions 0, 1, ..., ``n_keys - 1``.

        The last new token of the longest row is the last of them.
        """

    def update(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keep one layer's keys and values of the new tokens; return those of all so far.

        Shapes:
            key, value ``b g t d``; returns two tensors ``b g k d`` with ``k = n_keys``.
        """
