"""From events to English: each event has several phrasings, and people become "she" or "he".

A pronoun stands only for the subject of the sentence before, and only when that sentence named
nobody else: a reader can always tell who is meant.
"""

from random import Random

from llm_course.data.tiny_world.chance import coin, pick
from llm_course.data.tiny_world.state import Event, World
from llm_course.data.tiny_world.words import (
    DAYS,
    TIMES,
    WEATHER,
    at,
    listing,
    subject_pronoun,
    with_article,
)

OPENINGS = (
    "One {weather} {time}, ", "It was a {weather} {time}. ", "Once upon a time, ",
    "On {day}, ", "On a {weather} {time}, ", "Early on {day}, ",
)  # fmt: skip
GO = ("went to the {}", "walked to the {}", "ran to the {}", "hurried to the {}",
      "rode to the {}")  # fmt: skip
TAKE = ("picked up the {}", "took the {}", "found the {}", "grabbed the {}")
DROP = ("put down the {}", "left the {} {at}", "dropped the {}", "hid the {} {at}")
GIVE = ("gave the {} to {to}", "gave {to} the {}", "handed the {} to {to}", "passed the {} to {to}",
        "handed {to} the {}")  # fmt: skip
FEEL = ("was {}", "felt {}", "looked {}")
JOINS = (
    "Then {}",
    "After that, {}",
    "Next, {}",
    "A little later, {}",
    "Soon {}",
    "Now {}",
)
THANKS = ('"Thank you, {giver}," said {taker}.', '"How kind of you!" said {taker}.',
          "{taker} thanked {giver}.", '"What a nice surprise!" said {taker}.',
          "{taker} smiled and said thank you.")  # fmt: skip
# Sentences that change nothing; the first ones have a person as subject.
PASTIMES = (
    "hummed a quiet song", "sat down for a while", "looked up at the clouds", "told a funny joke",
    "danced around and laughed", "thought about lunch", "listened to the wind",
    "read an old letter",
    "counted slowly to ten", "watched a butterfly", "yawned and stretched", "made a secret plan",
)  # fmt: skip
SCENERY = (
    "A bird was singing.", "The sun came out.", "A dog barked far away.", "Rain began to fall.",
    "The wind was getting stronger.", "A cat slept nearby.", "Nobody was in a rush.",
    "Everything was still.", "The air smelled of flowers.", "Bees flew from leaf to leaf.",
    "Somewhere, music was playing.", "A train whistled in the distance.",
)  # fmt: skip
ENDINGS = (
    "It had been a long day.", "What a wonderful day it was!", "Soon it was time for dinner.",
    "Then the moon came up.", "They would remember this day.", "And that is the end of the story.",
    "Everyone went quietly to bed that night.", "Tomorrow would bring a new adventure.",
)  # fmt: skip


def setting(rng: Random, world: World) -> list[str]:
    """The sentences that say when it is, where people are and where the objects are."""
    at_place: dict[str, list[str]] = {}
    for person, place in world.people.items():
        at_place.setdefault(place, []).append(person)
    opening = pick(rng, OPENINGS).format(
        weather=pick(rng, WEATHER), time=pick(rng, TIMES), day=pick(rng, DAYS)
    )
    sentences = [
        f"{listing(people)} {'was' if len(people) == 1 else 'were'} {at(place)}."
        for place, people in at_place.items()
    ]
    sentences[0] = opening + sentences[0]
    for thing, where in world.things.items():
        phrase = with_article(f"{world.adjectives[thing]} {thing}")
        if where in world.people:
            sentences.append(f"{where} {pick(rng, ('had', 'was holding', 'carried'))} {phrase}.")
        elif coin(rng):
            sentences.append(f"There was {phrase} {at(where)}.")
        else:
            sentences.append(f"{phrase[0].upper()}{phrase[1:]} lay {at(where)}.")
    return sentences


def predicate(rng: Random, event: Event, here: str) -> str:
    """An event without its subject.

    Args:
        rng: chooses among the phrasings.
        event: what happens.
        here: the words for where the subject is, as in "left the ball in the park".
    """
    if event.kind == "go":
        return pick(rng, GO).format(event.target)
    if event.kind == "take":
        return pick(rng, TAKE).format(event.thing)
    if event.kind == "drop":
        return pick(rng, DROP).format(event.thing, at=here)
    if event.kind == "give":
        return pick(rng, GIVE).format(event.thing, to=event.target)
    return pick(rng, FEEL).format(event.target)


class Narrator:
    """Tells events in order, joining two of one person and remembering who "she" would be."""

    def __init__(self, rng: Random, people: dict[str, str]) -> None:
        self.rng = rng
        self.place = dict(people)
        self.clear_subject = ""  # the person a pronoun would clearly mean

    def tell(self, chain: list[Event]) -> list[str]:
        """The sentences of a chain of events."""
        sentences: list[str] = []
        i = 0
        while i < len(chain):
            event = chain[i]
            following = chain[i + 1] if i + 1 < len(chain) else None
            joined = following is not None and self._can_join(event, following) and coin(self.rng)
            parts = [event, following] if joined and following else [event]
            sentences.append(self._sentence(parts, first=not i))
            sentences += self._aside(parts[-1])
            i += len(parts)
        return sentences

    @staticmethod
    def _can_join(event: Event, following: Event) -> bool:
        """Two different events of one person make a sentence, if the first names nobody else."""
        return (
            event.subject == following.subject
            and event.kind not in ("give", "feel", following.kind)
            and following.kind != "feel"
        )

    def _sentence(self, parts: list[Event], *, first: bool) -> str:
        """One sentence for one event or two."""
        rng, subject = self.rng, parts[0].subject
        predicates = []
        for event in parts:
            # "walked to the park and left the ball there", not "in the park" twice
            here = "there" if predicates and parts[0].kind == "go" else at(self.place[subject])
            predicates.append(predicate(rng, event, here))
            if event.kind == "go":
                self.place[subject] = event.target
        pronoun = subject == self.clear_subject and coin(rng, 0.7)
        clause = f"{subject_pronoun(subject) if pronoun else subject} {' and '.join(predicates)}."
        if first or parts[0].kind == "feel":
            sentence = clause
        else:
            sentence = pick(rng, JOINS).format(clause) if coin(rng, 0.4) else clause
        self.clear_subject = "" if parts[-1].kind == "give" else subject
        return sentence[0].upper() + sentence[1:]

    def _aside(self, event: Event) -> list[str]:
        """Now and then, a sentence that changes nothing."""
        rng = self.rng
        if event.kind == "feel":
            return []
        if event.kind == "give" and coin(rng, 0.4):
            return [pick(rng, THANKS).format(giver=event.subject, taker=event.target)]
        if coin(rng, 0.88):
            return []
        self.clear_subject = ""
        if coin(rng):
            return [pick(rng, SCENERY)]
        return [f"{event.subject} {pick(rng, PASTIMES)}."]


def narrate(rng: Random, beginning: World, chain: list[Event]) -> str:
    """The text of a story: setting, events, feelings, ending."""
    sentences = setting(rng, beginning)
    sentences += Narrator(rng, beginning.people).tell(chain)
    if coin(rng, 0.6):
        sentences.append(pick(rng, ENDINGS))
    return " ".join(sentences)
