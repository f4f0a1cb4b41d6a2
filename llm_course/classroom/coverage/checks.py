"""The checks of the topic list: each thing it names exists, and nothing is built on later topics.

A tick is derived from the same findings, so the page cannot claim what a check refutes.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from llm_course.classroom.author.chapter_text import line_of
from llm_course.classroom.cells import grade_id
from llm_course.classroom.course import shown
from llm_course.classroom.coverage.evidence import Evidence, proof_exists, symbol_exists
from llm_course.classroom.coverage.topics import FILE, TICKS, Tick, Topic
from llm_course.classroom.problems import Problem

State = Literal["yes", "to come", "broken", "stale", "failed", "not applicable"]

Fault = tuple[Tick, str]


def problems(topics: Sequence[Topic], evidence: Evidence) -> list[Problem]:
    """Everything in the list that is not so, and everything that the list forgot."""
    found = [
        Problem(FILE, topic.line, f"coverage-{tick}", f"{topic.id}: {message}")
        for topic in topics
        for tick, message in faults(topic, evidence)
    ]
    return sorted([*found, *_order(topics), *_forgotten(topics, evidence)])


def ticks(topic: Topic, evidence: Evidence) -> dict[Tick, State]:
    """The state of the five ticks of a topic."""
    broken = {tick for tick, _ in faults(topic, evidence)}
    states: dict[Tick, State] = {}
    for tick in TICKS:
        if tick in broken:
            states[tick] = "broken"
        elif tick in topic.without:
            states[tick] = "not applicable"
        else:
            states[tick] = _state(tick, topic, evidence)
    return states


def faults(topic: Topic, evidence: Evidence) -> list[Fault]:
    """What a topic names that does not exist, with the tick that it would falsify."""
    return [*_code_faults(topic, evidence), *_lesson_faults(topic, evidence)]


def _state(tick: Tick, topic: Topic, evidence: Evidence) -> State:
    """The state of a tick of which nothing is broken."""
    if tick == "code":
        return "yes" if topic.code and topic.proof else "to come"
    if tick == "exercise":
        return "yes" if topic.exercises else "to come"
    if topic.lesson is None:
        return "to come"
    if tick == "gpu":
        state = evidence.gpu(topic.lesson.notebook)
        return "to come" if state == "missing" else state
    return "yes"


def _code_faults(topic: Topic, evidence: Evidence) -> Iterator[Fault]:
    """Symbols and proofs that are not there."""
    for name in topic.code:
        if not symbol_exists(evidence.root, name):
            yield "code", f"expected a symbol {name}, got none. Fix: correct its name."
    for name in topic.proof:
        if not proof_exists(evidence.root, name):
            yield "code", f"expected a test {name}, got none. Fix: correct its name."
    if topic.proof and not topic.code:
        yield "code", "names a proof of no code. Fix: name the code that it proves."


def _lesson_faults(topic: Topic, evidence: Evidence) -> Iterator[Fault]:
    """A notebook, section, page or exercise that is not there."""
    if topic.lesson is None:
        if topic.exercises:
            yield "exercise", "has exercises but no lesson. Fix: name the lesson that holds them."
        return
    key, section = topic.lesson.notebook, topic.lesson.section
    if key not in evidence.notebooks:
        yield "lesson", f"expected a notebook {key}, got none. Fix: correct its key."
        return
    if section not in evidence.sections(key):
        yield "lesson", f"expected a heading {section!r} in {key}, got none. Fix: copy the heading."
    if key not in evidence.pages:
        yield "book", f"expected the page {key} in book/_toc.yml. Fix: add it there."
    for exercise in topic.exercises:
        if lacking := evidence.lacks(key, exercise):
            yield "exercise", f"expected {lacking}, got none. Fix: write it or correct the id."


def _order(topics: Sequence[Topic]) -> Iterator[Problem]:
    """Exercises that build on a topic which comes later, or on none."""
    place = {topic.id: index for index, topic in enumerate(topics)}
    for topic in topics:
        for exercise, needed in topic.exercises.items():
            for name in needed:
                if name not in place:
                    fault = f"builds on an unknown topic {name}. Fix: correct its id."
                elif place[name] >= place[topic.id]:
                    fault = f"builds on {name}, which does not come earlier. Fix: move one of them."
                else:
                    continue
                yield Problem(FILE, topic.line, "coverage-order", f"{exercise}: {fault}")


def _forgotten(topics: Sequence[Topic], evidence: Evidence) -> Iterator[Problem]:
    """Notebooks and exercises that exist and stand under no topic."""
    taught = {topic.lesson.notebook for topic in topics if topic.lesson}
    asked = {exercise for topic in topics for exercise in topic.exercises}
    for key, notebook in evidence.notebooks.items():
        path = shown(notebook.path)
        if key not in taught:
            fault = f"{key} is no topic's lesson. Fix: name it in {FILE}."
            yield Problem(path, 1, "coverage-forgotten", fault)
        for cell in evidence.authored(key).cells:
            name = grade_id(cell)
            if name.startswith("ex-") and name not in asked:
                fault = f"{name} is under no topic. Fix: name it in {FILE}."
                yield Problem(path, line_of(cell), "coverage-forgotten", fault)
