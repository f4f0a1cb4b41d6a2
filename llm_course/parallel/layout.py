"""How a training run is laid out over ranks: three axes, ZeRO's stage, and the pipeline's order."""

from dataclasses import dataclass

from llm_course.parallel.data_parallel import BUCKET_BYTES
from llm_course.parallel.schedules import SCHEDULES


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The choices of a parallel run; the sizes of the axes multiply to the number of ranks.

    Args:
        data: parts of the batch.
        pipeline: stages.
        tensor: parts of each matrix.
        zero: ZeRO's stage on the data axis; 0 keeps copies.
        schedule: ``naive``, ``gpipe`` or ``1f1b``.
        n_microbatches: into how many a rank's part of the batch is cut.
        bucket_bytes: bytes of a bucket of gradients, without ZeRO.
        measure: whether activations are counted, which takes a little time.

    Raises:
        ValueError: a size is not positive, or a choice is unknown.

    >>> Layout(data=2, pipeline=2).n_ranks
    4
    """

    data: int = 1
    pipeline: int = 1
    tensor: int = 1
    zero: int = 0
    schedule: str = "1f1b"
    n_microbatches: int = 1
    bucket_bytes: int = BUCKET_BYTES
    measure: bool = False

    def __post_init__(self) -> None:
        for name in ("data", "pipeline", "tensor", "n_microbatches", "bucket_bytes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}.")
        if self.zero not in (0, 1, 2, 3):
            raise ValueError(f"zero: expected 0, 1, 2 or 3, got {self.zero!r}.")
        if self.schedule not in SCHEDULES:
            raise ValueError(
                f"schedule: expected one of {', '.join(SCHEDULES)}, got {self.schedule!r}."
            )

    @property
    def n_ranks(self) -> int:
        """Processes that it needs."""
        return self.data * self.pipeline * self.tensor
