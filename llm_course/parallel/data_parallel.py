"""Data parallelism: a copy of the model on every rank, each with its part of the batch.

The gradients are summed over the ranks **while the backward pass is running**: a bucket leaves as
soon as its last gradient is there. A rank's loss is a mean over its own targets, so it has to count
by its share of all targets (``batch_parts.py``); then the sum is the gradient of the whole mean.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch
from torch import nn

from llm_course.parallel.buckets import gradient_buckets
from llm_course.parallel.collectives import broadcast, start_all_reduce
from llm_course.parallel.group import Group

BUCKET_BYTES = 4 * 1024 * 1024
"""Of one bucket. PyTorch's DDP has 25 MB for larger models; a small one would be one bucket, which
leaves when the backward pass has ended."""


class _Bucket:
    """The gradients that travel together, in one piece of memory."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.parameters = parameters
        self.memory = torch.zeros(
            sum(p.numel() for p in parameters),
            dtype=parameters[0].dtype,
            device=parameters[0].device,
        )
        parts = self.memory.split([p.numel() for p in parameters])
        self.slots = [part.view_as(p) for part, p in zip(parts, parameters, strict=True)]
        self.ready: set[int] = set()
        self.wait: Callable[[], object] | None = None


class DataParallel:
    """Sums a model's gradients over the ranks, bucket by bucket, during ``backward``.

    Call ``finish`` after the backward pass and before the optimizer's step. All ranks begin with
    the weights of rank 0.

    Args:
        model: this rank's copy; its gradients are summed in place.
        group: the ranks that have copies.
        bucket_bytes: bytes of a bucket.

    Source:
        Li et al. 2020, arXiv:2006.15704, section 3.2.

    >>> model = nn.Linear(2, 1, bias=False)
    >>> parallel = DataParallel(model, Group(name="data"))
    >>> model(torch.tensor([[3.0, 4.0]])).sum().backward()
    >>> parallel.finish()
    >>> model.weight.grad.tolist()
    [[3.0, 4.0]]
    """

    def __init__(self, model: nn.Module, group: Group, bucket_bytes: int = BUCKET_BYTES) -> None:
        self.group, self.paused = group, False
        parameters = [p for p in model.parameters() if p.requires_grad]
        for parameter in parameters:
            broadcast(parameter.data, group, purpose="first weights")
        sizes = [p.numel() * p.element_size() for p in parameters]
        plan = gradient_buckets(sizes, bucket_bytes)
        self.buckets = [
            _Bucket(part) for b in plan for part in _by_dtype([parameters[i] for i in b])
        ]
        self.started = 0
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="all-reduce")
        for number, bucket in enumerate(self.buckets):
            for place, parameter in enumerate(bucket.parameters):
                parameter.register_post_accumulate_grad_hook(self._hook(number, place))

    def finish(self) -> None:
        """Wait until all buckets are back, and give each parameter its sum.

        A parameter that got no gradient counts as zero, so that all ranks send the same buckets.

        Raises:
            RankLost: a rank is not there.
        """
        for bucket in self.buckets:
            for place, parameter in enumerate(bucket.parameters):
                if place not in bucket.ready:
                    self._fill(bucket, place, parameter)
        self._start_ready()
        for bucket in self.buckets:
            bucket.wait()
            for parameter, slot in zip(bucket.parameters, bucket.slots, strict=True):
                parameter.grad = slot
            bucket.ready, bucket.wait = set(), None
        self.started = 0

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Let gradients add up on this rank alone: for all micro-batches but the last."""
        self.paused = True
        try:
            yield
        finally:
            self.paused = False

    def _hook(self, number: int, place: int) -> Callable[[nn.Parameter], None]:
        bucket = self.buckets[number]

        def gradient_is_ready(parameter: nn.Parameter) -> None:
            if not self.paused:
                self._fill(bucket, place, parameter)
                self._start_ready()

        return gradient_is_ready

    def _fill(self, bucket: _Bucket, place: int, parameter: nn.Parameter) -> None:
        """Copy a gradient into its bucket."""
        slot = bucket.slots[place]
        if parameter.grad is None:
            slot.zero_()
        elif parameter.grad.data_ptr() == slot.data_ptr() or place in bucket.ready:
            raise ValueError(
                "gradients: expected new ones, got those of the last backward pass. Fix: "
                "optimizer.zero_grad() first, or pause() for all micro-batches but the last."
            )
        else:
            slot.copy_(parameter.grad)
        bucket.ready.add(place)

    def _start_ready(self) -> None:
        """Send the buckets that are full, always in the same order."""
        while self.started < len(self.buckets):
            bucket = self.buckets[self.started]
            if len(bucket.ready) < len(bucket.parameters):
                return
            purpose = f"bucket {self.started}"
            bucket.wait = start_all_reduce(bucket.memory, self.group, self._worker, purpose)
            self.started += 1


def _by_dtype(parameters: list[nn.Parameter]) -> list[list[nn.Parameter]]:
    """One bucket for each dtype, as only equal ones share memory."""
    kinds: dict[torch.dtype, list[nn.Parameter]] = {}
    for parameter in parameters:
        kinds.setdefault(parameter.dtype, []).append(parameter)
    return list(kinds.values())
