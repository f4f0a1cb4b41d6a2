"""When the actions of a pipeline happen, on a clock that counts in units of work.

A stage takes its actions in the order of its schedule, each as soon as what it needs is there: a
forward pass needs that of the stage before, a backward pass that of the stage after, and on the
last stage its own forward pass. Messages take no time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_course.parallel.schedules import Action


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One action of one stage with its times; in units of work, or in seconds where it was real."""

    stage: int
    kind: str
    microbatch: int
    start: float
    end: float


def timeline(
    schedules: Sequence[Sequence[Action]], forward: float = 1.0, backward: float = 1.0
) -> list[Slot]:
    """The times of all actions, if every stage begins each as soon as it can.

    Args:
        schedules: the actions of each stage, in its order.
        forward: units that a forward pass of one micro-batch takes on a stage.
        backward: units of a backward pass.

    Raises:
        ValueError: the stages wait for each other for ever.

    >>> from llm_course.parallel.schedules import naive
    >>> slots = timeline([naive(stage, 2, 1) for stage in range(2)])
    >>> [(slot.stage, slot.kind, slot.start) for slot in slots]
    [(0, 'F', 0.0), (1, 'F', 1.0), (1, 'B', 2.0), (0, 'B', 3.0)]
    """
    n_stages, length = len(schedules), {"F": forward, "B": backward}
    done: dict[tuple[int, str, int], float] = {}
    waiting = [list(actions) for actions in schedules]
    clock, slots = [0.0] * n_stages, []
    while any(waiting):
        moved = False
        for stage, actions in enumerate(waiting):
            while actions and (ready := _ready(stage, actions[0], n_stages, done)) is not None:
                kind, i = actions.pop(0)
                start = max(clock[stage], ready)
                clock[stage] = done[stage, kind, i] = start + length[kind]
                slots.append(
                    Slot(stage=stage, kind=kind, microbatch=i, start=start, end=clock[stage])
                )
                moved = True
        if not moved:
            raise ValueError(f"schedules: expected an end, got stages that wait: {_stuck(waiting)}")
    return sorted(slots, key=lambda slot: (slot.start, slot.stage))


def bubble_of(slots: Sequence[Slot]) -> float:
    """The share of all stages' time in which they had nothing to do.

    ``1 - work / (stages * span)``, from the first start to the last end.

    Raises:
        ValueError: there is no slot.

    >>> work = [Slot(stage=s, kind="F", microbatch=0, start=s, end=s + 1) for s in range(4)]
    >>> bubble_of(work)  # one of four works at a time
    0.75
    """
    if not slots:
        raise ValueError("slots: expected at least one, got none.")
    span = max(slot.end for slot in slots) - min(slot.start for slot in slots)
    n_stages = len({slot.stage for slot in slots})
    return 1 - sum(slot.end - slot.start for slot in slots) / (n_stages * span)


def most_in_flight(actions: Sequence[Action]) -> int:
    """The most micro-batches of which a stage keeps the activations at one time.

    >>> most_in_flight([("F", 0), ("F", 1), ("B", 0), ("B", 1)])
    2
    """
    held, most = 0, 0
    for kind, _ in actions:
        held += 1 if kind == "F" else -1
        most = max(most, held)
    return most


def _ready(
    stage: int, action: Action, n_stages: int, done: dict[tuple[int, str, int], float]
) -> float | None:
    """When what the action needs is there; None if nobody has begun it."""
    kind, i = action
    if kind == "F":
        return 0.0 if stage == 0 else done.get((stage - 1, "F", i))
    return done.get((stage, "F", i) if stage == n_stages - 1 else (stage + 1, "B", i))


def _stuck(waiting: Sequence[Sequence[Action]]) -> str:
    first = [f"stage {s} for {a[0][0]}{a[0][1]}" for s, a in enumerate(waiting) if a]
    return ", ".join(first) + "."
