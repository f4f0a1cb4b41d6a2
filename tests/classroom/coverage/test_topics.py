from pathlib import Path

import pytest

from llm_course.classroom.coverage.topics import FILE, Lesson, read_topics
from llm_course.errors import CourseError

REPOSITORY = Path(__file__).parents[3]

WHOLE = """\
06_architecture:
  - id: decoder
    title: The decoder
07_attention:
  - id: masks
    title: Masks
    code: [llm_course.model.masks.causal_mask]
    proof: ["tests/model/test_masks.py::test_causal"]
    lesson: {notebook: 07_attention/self_attention, section: Masks}
    exercises:
      ex-07-1-mask: [decoder]
  - id: masks-at-scale
    title: Masks at scale
    survey: true
    shown: chapter 7
"""


@pytest.fixture
def listed(tmp_path):
    """Read a list of topics from its text."""

    def read(text):
        (tmp_path / "book").mkdir(exist_ok=True)
        (tmp_path / FILE).write_text(text, encoding="utf-8")
        return read_topics(tmp_path)

    return read


def test_reads_every_field_and_the_line(listed):
    decoder, masks, survey = listed(WHOLE)
    assert (decoder.chapter, decoder.line, decoder.lesson) == ("06_architecture", 2, None)
    assert masks.code == ("llm_course.model.masks.causal_mask",)
    assert masks.lesson == Lesson("07_attention/self_attention", "Masks")
    assert masks.exercises == {"ex-07-1-mask": ("decoder",)}
    assert masks.line == 5, "not the line of masks-at-scale"
    assert survey.line == 12
    assert survey.without == ("code", "exercise", "gpu")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: masks\n", "id: Masks!\n", "expected a topic with an id such as rms-norm"),
        ("id: masks\n", "id: decoder\n", "decoder stands already under decoder"),
        ("title: Masks\n", "titel: Masks\n", ":5: unknown titel; known are"),
        ("    title: Masks\n", "", "expected a title"),
        ("shown: chapter 7", "beyond: true", "says in `shown` where"),
        ("survey: true", "survey: 1", "survey: expected true or false, got 1"),
        ("shown: chapter 7", "without: [cpu]\n    shown: x", "without: expected ticks"),
        ("code: [", "code: [3, ", "code: expected a list of texts"),
        (", section: Masks", "", "lesson: expected {notebook: …, section: …}"),
        (": [decoder]", ": decoder", "ex-07-1-mask: expected a list of texts"),
        (
            "    exercises:\n      ex-07-1-mask: [decoder]",
            "    exercises: [x]",
            "exercises: expected",
        ),
        ("07_attention:", "attention:", "expected chapters such as 07_attention"),
        ("06_architecture:\n", "06_architecture: 3\n", ":1: expected the list of topics"),
    ],
)
def test_an_entry_of_another_form_is_told_on_one_line(listed, old, new, message):
    assert old in WHOLE
    with pytest.raises(CourseError) as caught:
        listed(WHOLE.replace(old, new, 1))
    assert message in str(caught.value)
    assert str(caught.value).startswith(FILE) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a\n- b", "a: [", "\t"])
def test_no_list_at_all(listed, text):
    with pytest.raises(CourseError, match=FILE):
        listed(text)


def test_a_missing_list(tmp_path):
    with pytest.raises(CourseError, match="topics.yml"):
        read_topics(tmp_path)


def test_the_courses_own_list_has_every_chapter_in_order():
    chapters = list(dict.fromkeys(topic.chapter for topic in read_topics(REPOSITORY)))
    assert [chapter[:2] for chapter in chapters] == [f"{number:02}" for number in range(14)]
    assert chapters == sorted(chapters)


@pytest.mark.parametrize(
    "names",
    [
        "kneser-ney neural-lm-lstm masked-lm-fine-tuning prompted-lm",
        "km-scaling-law chinchilla-scaling-law in-context-learning gpt-lineage",
        "public-models closed-models library-fastmoe library-bmtrain library-megatron-lm",
        "minhash-lsh privacy byte-pair-encoding wordpiece unigram data-curriculum",
        "pipeline-gpipe pipeline-1f1b tensor-parallelism zero-1 zero-2 zero-3 fsdp bf16",
        "prefix-lm-objective encoder-decoder mixture-of-experts",
        "padding-mask look-ahead-mask flash-tiling paged-sharing grouped-query-attention",
        "deep-norm sandwich-ln swiglu geglu alibi rope t5-relative-positions",
        "position-interpolation yarn lambda-window attention-sinks lost-in-the-middle",
        "beam-search length-penalty top-p speculative-decoding continuous-batching",
        "self-instruct chat-template capped-mixing ppo dpo grpo alignment-tax ranking-feedback",
        "lora adapters qlora qat ptq-layerwise dora",
        "report-card graded-capstone",
    ],
)
def test_the_agendas_topics_are_there(names):
    missing = set(names.split()) - {topic.id for topic in read_topics(REPOSITORY)}
    assert not missing


def test_an_exercise_may_grade_two_topics_if_it_needs_the_same(listed):
    both = (
        WHOLE
        + """
  - id: more-masks
    title: More masks
    code: [llm_course.model.masks.causal_mask]
    lesson: {notebook: 07_attention/self_attention, section: Masks}
    exercises:
      ex-07-1-mask: [decoder]
"""
    )
    assert [topic.exercises for topic in listed(both)][1::2] == [{"ex-07-1-mask": ("decoder",)}] * 2
    with pytest.raises(CourseError, match="ex-07-1-mask: expected .'decoder'. as above, got"):
        listed(both.removesuffix("[decoder]\n") + "[masks]\n")
