"""An independent reader of the stories: from the text alone to the world at the end.

It shares no code with the generator. It follows the grammar in the package's docstring with regular
expressions, and refuses a sentence about an object that it does not understand.
"""

import re
from dataclasses import dataclass, field

import pytest

PLACE = r"(?:in|at|on|by) the (\w+)"
OPENING = re.compile(
    r"^(?:One \w+ \w+, |It was a \w+ \w+\. |Once upon a time, |On a \w+ \w+, |"
    r"(?:Early on|On) \w+, )"
)
LYING = rf"(?:There was an? (?=\w+ \w+ \w+ the)|An? (?=\w+ \w+ lay))(\w+) (\w+)(?: lay)? {PLACE}"
JOIN = re.compile(r"^(?:Then|After that,|Next,|A little later,|Soon|Now) ")
GO = re.compile(r"^(?:went|walked|ran|hurried|rode) to the (\w+)$")
TAKE = re.compile(r"^(?:picked up|took|found|grabbed) the (\w+)$")
DROP = re.compile(r"^(?:put down|dropped|left|hid) the (\w+)(?: there| (?:in|at|on|by) the \w+)?$")
GIVE = re.compile(r"^(?:gave|handed|passed) the (\w+) to (\w+)$")
GIVE_FIRST = re.compile(r"^(?:gave|handed) (\w+) the (\w+)$")
NUMBERS = ["none", "one", "two", "three", "four", "five", "six", "seven"]


@dataclass
class Replay:
    """What the text of a story says, sentence by sentence."""

    people: dict[str, str] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)
    adjectives: dict[str, str] = field(default_factory=dict)
    feelings: dict[str, str] = field(default_factory=dict)
    first_taker: dict[str, str] = field(default_factory=dict)
    asides: list[str] = field(default_factory=list)
    subject: str = ""

    def read(self, text: str) -> "Replay":
        """Read a whole story."""
        text = OPENING.sub("", text)
        for sentence in re.split(r"(?<=[.!?]) (?=[A-Z\"])", text):
            self._sentence(sentence)
        return self

    def _sentence(self, sentence: str) -> None:
        body = JOIN.sub("", sentence).removesuffix(".")
        if match := re.fullmatch(rf"([\w, ]+) (?:was|were) {PLACE}", body):
            for name in re.split(r", | and ", match[1]):
                self.people[name] = match[2]
        elif match := re.fullmatch(r"(\w+) (?:had|was holding|carried) an? (\w+) (\w+)", body):
            self.things[match[3]], self.adjectives[match[3]] = match[1], match[2]
        elif match := re.fullmatch(LYING, body):
            self.things[match[2]], self.adjectives[match[2]] = match[3], match[1]
        else:
            self._telling(sentence, body)

    def _telling(self, sentence: str, body: str) -> None:
        word, _, rest = body.partition(" ")
        who = self.subject if word.lower() in ("she", "he") else word
        if who in self.people and (match := re.fullmatch(r"(?:was|felt|looked) (\w+)", rest)):
            self.feelings[who], self.subject = match[1], who
            return
        actions = [self._action(who, part) for part in rest.split(" and ")]
        if who in self.people and all(actions):
            self.subject = who
            return
        assert not any(actions), f"half understood: {sentence}"
        assert not any(f"the {thing}" in sentence for thing in self.things), sentence
        assert word not in ("She", "He"), f"a pronoun for nobody: {sentence}"
        self.asides.append(sentence)
        self.subject = who if who in self.people else ""

    def _action(self, who: str, part: str) -> bool:
        if match := GO.match(part):
            assert self.people[who] != match[1], f"{who} is there already: {part}"
            self.people[who] = match[1]
        elif match := TAKE.match(part):
            assert self.things[match[1]] == self.people[who], f"{who} cannot reach it: {part}"
            self.things[match[1]] = who
            self.first_taker.setdefault(match[1], who)
        elif match := DROP.match(part):
            assert self.things[match[1]] == who, f"{who} does not have it: {part}"
            self.things[match[1]] = self.people[who]
        elif match := GIVE.match(part) or GIVE_FIRST.match(part):
            thing, taker = match.groups() if GIVE.match(part) else match.groups()[::-1]
            assert self.things[thing] == who, f"{who} does not have it: {part}"
            assert self.people[who] == self.people[taker], f"they are not together: {part}"
            self.things[thing] = taker
        else:
            return False
        return True

    def answer(self, question: str) -> str:
        """The answer to a question, from what was read; of a place, its name alone."""
        if match := re.fullmatch(r"Who had the (\w+) at the end\?", question):
            where = self.things[match[1]]
            return where if where in self.people else "nobody"
        if match := re.fullmatch(r"Where was the (\w+) at the end\?", question):
            where = self.things[match[1]]
            return self.people.get(where, where)
        if match := re.fullmatch(r"Where was (\w+) at the end\?", question):
            return self.people[match[1]]
        if match := re.fullmatch(r"How many things did (\w+) have at the end\?", question):
            return NUMBERS[list(self.things.values()).count(match[1])]
        if match := re.fullmatch(r"Did (\w+) have the (\w+) at the end\?", question):
            return "yes" if self.things[match[2]] == match[1] else "no"
        if match := re.fullmatch(r"What colour was the (\w+)\?", question):
            return self.adjectives[match[1]]
        if match := re.fullmatch(r"How did (\w+) feel at the end\?", question):
            return self.feelings[match[1]]
        if match := re.fullmatch(r"Who was the first to pick up the (\w+)\?", question):
            return self.first_taker[match[1]]
        raise AssertionError(f"a question that the grammar does not have: {question}")


@pytest.fixture
def replay():
    """A function from the text of a story to what it says."""
    return lambda text: Replay().read(text)
