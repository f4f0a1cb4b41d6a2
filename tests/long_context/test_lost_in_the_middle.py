"""The probe moves the evidence and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.long_context.lost_in_the_middle import accuracy_by_position, facts_task, middle_dip


@given(st.integers(1, 30), st.integers(0, 9), st.integers(2, 5), st.data())
def test_the_evidence_stands_where_it_is_asked_to(n_facts, seed, n_digits, data):
    position = data.draw(st.integers(0, n_facts - 1))
    task = facts_task(n_facts, position, seed, n_digits)
    assert len(task.answer) == n_digits
    lines = task.text.splitlines()
    assert len(lines) == n_facts == len(set(lines))
    assert [i for i, line in enumerate(lines) if task.question in line] == [position]
    assert lines[position] == f"{task.question} {task.answer}."
    assert task.prompt.count(task.answer) == 1, "the answer is a number that occurs once"
    assert sorted(lines) == sorted(facts_task(n_facts, 0, seed, n_digits).text.splitlines())
    assert len(task.others) == n_facts - 1


def test_a_reader_of_both_ends_is_lost_in_the_middle():
    def ends(prompt: str) -> str:
        *lines, question = prompt.splitlines()
        return next((x.split("holds ")[1] for x in lines[:2] + lines[-2:] if question in x), "")

    cells = accuracy_by_position(ends, 9, range(9), n=3)
    assert [cell.hits for cell in cells] == [3, 3, 0, 0, 0, 0, 0, 3, 3]
    assert [cell.depth for cell in cells] == [i / 8 for i in range(9)]
    assert middle_dip([cell.accuracy for cell in cells]) == pytest.approx(1 - 2 / 7)


def test_every_position_asks_about_the_same_facts():
    asked = []

    def answer(prompt: str) -> str:
        asked.append(frozenset(prompt.splitlines()))
        return ""

    accuracy_by_position(answer, 7, [0, 3, 6], n=2, seed=5, n_digits=2)
    assert len(asked) == 6 and len(set(asked)) == 2
    assert facts_task(7, 0, 5, n_digits=2).text.splitlines()[0] in asked[0]


def test_a_flat_curve_has_no_dip():
    assert middle_dip([0.5, 0.5, 0.5]) == 0.0
    assert middle_dip([0.0, 1.0, 0.0]) == -1.0


def test_bad_input_is_refused():
    for position in (-1, 3):
        with pytest.raises(ValueError, match="position: expected 0 to n_facts - 1 = 2, got"):
            facts_task(3, position, 0)
    for n_facts, n_digits in ((46, 2), (5, 1), (1, 0), (4501, 4)):
        with pytest.raises(ValueError, match=f"enough for {2 * n_facts} different numbers, got"):
            facts_task(n_facts, 0, 0, n_digits)
    with pytest.raises(ValueError, match="n: expected 1 or more, got 0."):
        accuracy_by_position(str, 3, [0], n=0)
    with pytest.raises(ValueError, match="accuracies: expected 3 or more, got 2."):
        middle_dip([1.0, 0.0])
