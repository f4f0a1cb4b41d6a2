import json
import re

import pytest

from llm_course.classroom.coverage import page
from llm_course.classroom.coverage.evidence import GPU_REPORT, Evidence
from llm_course.classroom.coverage.topics import Lesson, Topic
from llm_course.classroom.execute.cache import source_hash

KEY = "07_sample/counting"

TOPICS = [
    Topic(id="lists", chapter="00_primer", title="Lists | <PAD> and $5", line=2, without=("gpu",)),
    Topic(
        id="mean",
        chapter="07_sample",
        title="The mean",
        line=5,
        code=("llm_course.numbers.mean",),
        proof=("tests/test_numbers.py::test_mean",),
        lesson=Lesson(KEY, "Build it"),
        exercises={"ex-07-1-mean": ("lists",)},
    ),
    Topic(id="dead", chapter="07_sample", title="Gone", line=8, lesson=Lesson(KEY, "No such")),
    Topic(
        id="far",
        chapter="07_sample",
        title="Far",
        line=9,
        survey=True,
        shown="chapter 5",
        without=("code", "exercise", "gpu"),
        beyond=True,
    ),
]


@pytest.fixture
def evidence(sample_course):
    for name, text in {
        "llm_course/numbers.py": "def mean(): ...",
        "tests/test_numbers.py": "def test_mean(): ...",
        "book/_toc.yml": f"root: {KEY}",
        "book/agenda.yml": "07_sample: {title: A sample}",
    }.items():
        (sample_course / name).parent.mkdir(exist_ok=True)
        (sample_course / name).write_text(text)
    return Evidence(sample_course)


def row(page, title):
    """The cells of a topic's row."""
    line = next(line for line in page.splitlines() if line.startswith(f"| {title}"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_every_tick_is_a_word_with_what_it_rests_on(evidence):
    _, code, lesson, exercise, book, gpu = row(page.render(TOPICS, evidence), "The mean")
    assert "✓ done" in code and "{py:obj}`~llm_course.numbers.mean`" in code
    assert "✓ done" in lesson and "[Build it](#sample-build)" in lesson
    assert "✓ done" in exercise and "{ref}`07-1-mean <ex-07-1-mean>`" in exercise
    assert "✓ done" in book and "[page](/07_sample/counting)" in book
    assert "to come" in gpu


def test_a_section_without_a_label_is_linked_by_its_page(evidence):
    topic = Topic(id="x", chapter="07_sample", title="X", line=1, lesson=Lesson(KEY, "See it"))
    assert "[See it](/07_sample/counting)" in row(page.render([topic], evidence), "X")[2]


def test_a_false_tick_shows_as_broken_and_links_nowhere(evidence):
    lesson = row(page.render(TOPICS, evidence), "Gone")[2]
    assert "✗ broken" in lesson and "](" not in lesson


def test_survey_and_beyond_are_said(evidence):
    title, code, *_ = row(page.render(TOPICS, evidence), "Far")
    assert "*(beyond the slides)*" in title and "*(survey; shown in chapter 5)*" in title
    assert "n/a" in code


def test_titles_cannot_break_the_table(evidence):
    cells = row(page.render(TOPICS, evidence), "Lists")
    assert len(cells) == 6
    assert cells[0] == r"Lists \| \<PAD\> and \$5"


def test_totals_count_only_what_makes_sense(evidence):
    text = page.render(TOPICS, evidence)
    assert "| Chapter 0: primer | 0 of 1 | 0 of 1 | 0 of 1 | 0 of 1 | 0 of 0 |" in text
    # Three topics, of which the survey one has no code, no exercise and no run on a GPU; the one
    # with a wrong heading still has its page.
    sums = "| 1 of 2 | 1 of 3 | 1 of 2 | 2 of 3 | 0 of 2 |"
    assert f"| Chapter 7: A sample {sums}" in text
    assert f"| **Done** {sums}" in text
    assert "| **The course** | 1 of 3 | 1 of 4 | 1 of 3 | 2 of 4 | 0 of 2 |" in text


@pytest.mark.parametrize(("source", "word"), [(None, "✓ done"), ("old", "↻ stale")])
def test_a_gpu_run_is_shown_with_its_cost_and_machine(evidence, source, word):
    source = source or source_hash(evidence.notebooks[KEY])
    run = {"source": source, "status": "executed", "seconds": 61.4, "device_peak_bytes": 3 * 2**30}
    report = {"device": "NVIDIA H200", "versions": {"torch": "2.13"}, "notebooks": {KEY: run}}
    (evidence.root / GPU_REPORT).write_text(json.dumps(report))
    text = page.render(TOPICS, evidence)
    gpu = row(text, "The mean")[5]
    assert word in gpu and "61 s, 3.0 GiB" in gpu
    assert "Recorded GPU run: NVIDIA H200 (torch 2.13)." in text


def test_without_a_gpu_run_the_page_says_so(evidence):
    assert "No run on a GPU has been recorded yet." in page.render(TOPICS, evidence)
