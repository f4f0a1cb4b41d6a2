"""The ledger: what every collective of a rank carried, and how many bytes it really sent.

Bytes are counted where they are handed to ``send``, not computed, so that the closed forms of
``costs.py`` can be compared with them. A backend's own collectives do not say what they send.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """One collective, or one message, as one rank saw it.

    Args:
        collective: what it was: ``all_reduce``, ``send``, ...
        group: the axis of the mesh: ``data``, ``tensor``, ``pipeline``.
        purpose: what for, such as ``blocks.0.attention``.
        payload: bytes of the whole tensor.
        sent: bytes that this rank sent; None if a backend did it, which does not say.
    """

    collective: str
    group: str
    purpose: str
    payload: int
    sent: int | None


@dataclass
class Ledger:
    """All transfers of one rank, in order.

    >>> ledger = Ledger()
    >>> ledger.add("all_reduce", "data", "bucket 0", payload=100, sent=150)
    >>> ledger.add("send", "pipeline", "forward", payload=8, sent=8)
    >>> ledger.sent(), ledger.sent(group="data"), ledger.count(collective="send")
    (158, 150, 1)
    """

    transfers: list[Transfer] = field(default_factory=list)

    def add(
        self, collective: str, group: str, purpose: str, *, payload: int, sent: int | None
    ) -> None:
        """Enter one transfer."""
        self.transfers.append(
            Transfer(
                collective=collective, group=group, purpose=purpose, payload=payload, sent=sent
            )
        )

    def select(
        self, *, collective: str | None = None, group: str | None = None, purpose: str = ""
    ) -> list[Transfer]:
        """The transfers of a collective, of a group, and whose purpose begins so."""
        return [
            transfer
            for transfer in self.transfers
            if collective in (None, transfer.collective)
            and group in (None, transfer.group)
            and transfer.purpose.startswith(purpose)
        ]

    def sent(
        self, *, collective: str | None = None, group: str | None = None, purpose: str = ""
    ) -> int:
        """Bytes that this rank sent.

        Raises:
            ValueError: some were sent by a backend's own collective, which does not say how many.
        """
        chosen = self.select(collective=collective, group=group, purpose=purpose)
        if any(transfer.sent is None for transfer in chosen):
            raise ValueError(
                "sent: expected transfers that were counted, got a backend's own collectives. "
                "Fix: algorithm='ring'."
            )
        return sum(transfer.sent or 0 for transfer in chosen)

    def count(
        self, *, collective: str | None = None, group: str | None = None, purpose: str = ""
    ) -> int:
        """How many transfers there were."""
        return len(self.select(collective=collective, group=group, purpose=purpose))

    def clear(self) -> None:
        """Forget what was counted, such as the copies that a model begins with."""
        self.transfers.clear()
