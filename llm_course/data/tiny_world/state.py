"""The state of the world, and the five events that change it.

Every person is at a place. Every object is with a person or lies at a place; with a person it goes
where the person goes. Names of people and places never coincide, so one dictionary says it all.
"""

from dataclasses import dataclass, field
from typing import Literal

EventKind = Literal["go", "take", "drop", "give", "feel"]


@dataclass(frozen=True)
class Event:
    """Something that happens.

    Args:
        kind: ``go`` (to ``target``, a place), ``take`` and ``drop`` (``thing``), ``give``
            (``thing`` to ``target``, a person) or ``feel`` (``target``, a feeling).
        subject: who does it.
        thing: the object concerned, if any.
        target: the place, the receiver or the feeling.
    """

    kind: EventKind
    subject: str
    thing: str = ""
    target: str = ""


@dataclass
class World:
    """Who is where, who has what, and how everybody feels.

    Args:
        people: the place of each person.
        things: the holder or the place of each object.
        adjectives: the colour, or another quality, of each object.
        feelings: how a person feels, once a story has said it.

    >>> world = World(people={"Anna": "park", "Ben": "park"}, things={"ball": "park"})
    >>> world.apply(Event("take", "Anna", "ball"))
    >>> world.apply(Event("go", "Anna", target="lake"))
    >>> world.things["ball"], world.place_of("ball")
    ('Anna', 'lake')
    """

    people: dict[str, str]
    things: dict[str, str]
    adjectives: dict[str, str] = field(default_factory=dict)
    feelings: dict[str, str] = field(default_factory=dict)

    def copy(self) -> "World":
        """An independent copy."""
        return World(
            dict(self.people),
            dict(self.things),
            dict(self.adjectives),
            dict(self.feelings),
        )

    def place_of(self, thing: str) -> str:
        """Where an object is: its own place, or its holder's."""
        where = self.things[thing]
        return self.people.get(where, where)

    def held_by(self, person: str) -> list[str]:
        """What a person has, in the order of ``things``."""
        return [thing for thing, where in self.things.items() if where == person]

    def apply(self, event: Event) -> None:
        """Let an event happen.

        Raises:
            ValueError: it cannot happen in this state; nothing is changed.
        """
        subject, thing, target = event.subject, event.thing, event.target
        if event.kind == "go":
            possible = self.people[subject] != target
        elif event.kind == "take":
            possible = self.things[thing] == self.people[subject]
        elif event.kind == "drop":
            possible = self.things[thing] == subject
        elif event.kind == "give":
            together = subject != target and self.people[target] == self.people[subject]
            possible = together and self.things[thing] == subject
        else:
            possible = True
        if not possible:
            raise ValueError(f"event: {event} cannot happen in {self}.")
        if event.kind == "go":
            self.people[subject] = target
        elif event.kind == "feel":
            self.feelings[subject] = target
        else:
            holder = {"take": subject, "drop": self.people[subject], "give": target}[event.kind]
            self.things[thing] = holder
