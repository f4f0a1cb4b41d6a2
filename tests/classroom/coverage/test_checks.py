import dataclasses
import json

import pytest

from llm_course.classroom.coverage.checks import problems, ticks
from llm_course.classroom.coverage.evidence import GPU_REPORT, Evidence
from llm_course.classroom.coverage.topics import Lesson, Topic
from llm_course.classroom.execute.cache import source_hash

KEY = "07_sample/counting"

EARLIER = Topic(id="lists", chapter="00_primer", title="Lists", line=2)
EXERCISES = ("ex-07-1-mean", "ex-07-2-limit", "ex-07-3-totals", "ex-07-4-spread")
WHOLE = Topic(
    id="mean",
    chapter="07_sample",
    title="The mean",
    line=5,
    code=("llm_course.numbers.mean",),
    proof=("tests/test_numbers.py::test_mean",),
    lesson=Lesson(KEY, "See it"),
    exercises=dict.fromkeys(EXERCISES, ("lists",)),
)


@pytest.fixture
def evidence(sample_course):
    for name, text in {
        "llm_course/numbers.py": "def mean(): ...",
        "tests/test_numbers.py": "def test_mean(): ...",
        "book/_toc.yml": f"root: intro\nparts:\n- chapters:\n  - file: {KEY}\n",
    }.items():
        (sample_course / name).parent.mkdir(exist_ok=True)
        (sample_course / name).write_text(text)
    return Evidence(sample_course)


def changed(**changes):
    return dataclasses.replace(WHOLE, **changes)


def test_a_topic_with_everything(evidence):
    assert problems([EARLIER, WHOLE], evidence) == []
    assert ticks(WHOLE, evidence) == {
        "code": "yes",
        "lesson": "yes",
        "exercise": "yes",
        "book": "yes",
        "gpu": "to come",
    }


def test_a_topic_to_come_is_no_problem(evidence):
    assert set(ticks(EARLIER, evidence).values()) == {"to come"}
    assert problems([EARLIER, WHOLE], evidence) == []


@pytest.mark.parametrize(
    ("topic", "tick", "message"),
    [
        (
            changed(code=("llm_course.numbers.median",)),
            "code",
            "a symbol llm_course.numbers.median",
        ),
        (changed(proof=("tests/test_numbers.py::test_x",)), "code", "a test tests/test_numbers.py"),
        (changed(code=()), "code", "names a proof of no code"),
        (changed(lesson=Lesson(KEY, "See that")), "lesson", "a heading 'See that' in 07_sample"),
        (changed(lesson=Lesson("07_sample/sums", "x")), "lesson", "a notebook 07_sample/sums"),
        (changed(lesson=None), "exercise", "has exercises but no lesson"),
        (
            changed(exercises=dict.fromkeys((*EXERCISES, "ex-07-9-x"), ("lists",))),
            "exercise",
            "a cell ex-07-9-x",
        ),
    ],
)
def test_a_false_claim_is_a_problem_and_breaks_its_tick(evidence, topic, tick, message):
    found = [p for p in problems([EARLIER, topic], evidence) if p.rule == f"coverage-{tick}"]
    assert [p.line for p in found] == [5]
    assert message in found[0].message and "Fix: " in found[0].message
    states = ticks(topic, evidence)
    assert states[tick] == "broken"


def test_a_page_that_the_book_leaves_out(evidence):
    (evidence.root / "book" / "_toc.yml").write_text("root: intro")
    assert [p.rule for p in problems([EARLIER, WHOLE], evidence)] == ["coverage-book"]
    assert ticks(WHOLE, evidence)["book"] == "broken"


def test_code_without_a_proof_earns_no_tick(evidence):
    unproved = changed(proof=())
    assert ticks(unproved, evidence)["code"] == "to come"
    assert problems([EARLIER, unproved], evidence) == []


def test_ticks_that_make_no_sense_are_said_to(evidence):
    survey = dataclasses.replace(EARLIER, without=("code", "exercise", "gpu"))
    states = ticks(survey, evidence)
    assert {tick for tick, state in states.items() if state == "not applicable"} == {
        "code",
        "exercise",
        "gpu",
    }


@pytest.mark.parametrize(
    ("needed", "message"),
    [
        ("later", "ex-07-1-mean: builds on later, which does not come earlier"),
        ("mean", "ex-07-1-mean: builds on mean, which does not come earlier"),
        ("nothing", "ex-07-1-mean: builds on an unknown topic nothing"),
    ],
)
def test_an_exercise_builds_on_what_came_before(evidence, needed, message):
    topic = changed(exercises=dict.fromkeys(EXERCISES, ()) | {"ex-07-1-mean": (needed,)})
    later = dataclasses.replace(EARLIER, id="later", chapter="08_x", line=9)
    (found,) = problems([topic, later], evidence)
    assert found.rule == "coverage-order" and message in found.message


def test_a_forgotten_exercise_is_named_with_its_line(evidence):
    kept = dict.fromkeys(EXERCISES[1:], ("lists",))
    (found,) = problems([EARLIER, changed(exercises=kept)], evidence)
    text = (evidence.root / "solutions/07_sample/counting.md").read_text().splitlines()
    assert found.path == "solutions/07_sample/counting.md"
    assert text[found.line - 1].startswith("def mean")
    assert "ex-07-1-mean is under no topic" in found.message


def test_a_forgotten_notebook_is_named(evidence):
    rules = [p.message for p in problems([EARLIER], evidence)]
    assert any("07_sample/counting is no topic's lesson" in message for message in rules)


@pytest.mark.parametrize(
    ("entry", "state"),
    [({}, "yes"), ({"source": "old"}, "stale"), ({"status": "failed"}, "failed")],
)
def test_the_gpu_tick_is_as_good_as_the_recorded_run_and_fails_nothing(evidence, entry, state):
    run = {"source": source_hash(evidence.notebooks[KEY]), "status": "executed"} | entry
    report = {"device": "H200", "notebooks": {KEY: run}}
    (evidence.root / GPU_REPORT).write_text(json.dumps(report))
    assert ticks(WHOLE, evidence)["gpu"] == state
    assert problems([EARLIER, WHOLE], evidence) == []
