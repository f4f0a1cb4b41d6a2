"""The heat map of readers whose memory is known."""

from functools import partial

import pytest

from llm_course.long_context.passkey import multi_key_task, passkey_task
from llm_course.long_context.retrieval import Cell, count_hits, retrieval_grid


def whole(prompt: str) -> str:
    return prompt.split("The passkey is ")[1][:5]


def last_300(prompt: str) -> str:
    return whole(prompt[-300:]) if "The passkey is " in prompt[-300:] else "I forgot"


def test_a_reader_of_everything_finds_everything():
    cells = retrieval_grid(whole, passkey_task, len, [200, 1000], [0.0, 0.5, 1.0], n=3)
    assert [cell.accuracy for cell in cells] == [1.0] * 6
    assert [(cell.n_tokens, cell.depth) for cell in cells] == [
        (n, d) for n in (200, 1000) for d in (0.0, 0.5, 1.0)
    ]


def test_a_reader_of_the_end_finds_what_lies_there():
    cells = retrieval_grid(last_300, passkey_task, len, [250, 2000], [0.0, 0.5, 1.0], n=4)
    assert [cell.hits for cell in cells] == [4, 4, 4, 0, 0, 4]


def test_every_cell_asks_tasks_of_its_length_and_depth():
    asked = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return ""

    make = partial(multi_key_task, n_keys=3, n_digits=4)
    cells = retrieval_grid(answer, make, lambda text: len(text.split()), [60, 90], [0.0], n=5)
    assert [cell.hits for cell in cells] == [0, 0] and len(set(asked)) == 10
    words = [len(prompt.split()) for prompt in asked]
    assert all(50 <= n <= 60 for n in words[:5]) and all(80 <= n <= 90 for n in words[5:])


def test_hits_are_counted_task_by_task():
    tasks = [passkey_task(3, 0.5, seed=s) for s in range(4)]
    known = {task.prompt: task.answer for task in tasks[:3]}
    assert count_hits(lambda prompt: known.get(prompt, "0"), tasks) == 3
    assert Cell(n_tokens=8, depth=0.5, hits=3, n=4).accuracy == 0.75


def test_bad_input_is_refused():
    for lengths, depths, n in (([], [0.5], 1), ([200], [], 1), ([200], [0.5], 0)):
        with pytest.raises(ValueError, match="lengths, depths, n: expected at least one of each"):
            retrieval_grid(whole, passkey_task, len, lengths, depths, n)
    with pytest.raises(ValueError, match="n_tokens: expected room for"):
        retrieval_grid(whole, passkey_task, len, [5], [0.5], 1)
