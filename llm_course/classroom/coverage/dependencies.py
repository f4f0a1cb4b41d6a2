"""Which chapter builds on which, read off the prerequisites of the exercises."""

from collections.abc import Sequence

from llm_course.classroom.coverage.topics import Topic


def chapter_dependencies(topics: Sequence[Topic]) -> dict[str, list[str]]:
    """For every chapter the earlier ones whose topics its exercises build on, in their order.

    Args:
        topics: the whole list.

    >>> first = Topic(id="a", chapter="01_one", title="A", line=1)
    >>> second = Topic(id="b", chapter="02_two", title="B", line=2, exercises={"ex-02-1-b": ("a",)})
    >>> chapter_dependencies([first, second])
    {'01_one': [], '02_two': ['01_one']}
    """
    chapter_of = {topic.id: topic.chapter for topic in topics}
    found: dict[str, list[str]] = {topic.chapter: [] for topic in topics}
    for topic in topics:
        needed = {chapter_of[name] for names in topic.exercises.values() for name in names}
        found[topic.chapter] = sorted({*found[topic.chapter], *needed} - {topic.chapter})
    return found
