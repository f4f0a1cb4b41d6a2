"""Instructions: every kind in three wordings, whole sentences, reproducible."""

from random import Random

import pytest

from llm_course.data.tiny_world.instructions import WORDINGS, instruction, instructions
from llm_course.data.tiny_world.tasks import TASKS


def test_every_kind_has_three_wordings():
    assert set(WORDINGS) == set(TASKS)
    assert all(len(set(wordings)) == 3 for wordings in WORDINGS.values())


def test_wordings_are_complete_sentences():
    seen = set()
    for item in instructions(1500, seed=0):
        assert item.instruction[0].isupper() and item.instruction[-1] in ".?"
        assert "{" not in item.instruction
        seen.add((item.kind, item.wording))
    assert len(seen) == 3 * len(TASKS), "every wording of every kind should occur"


def test_kinds_take_turns_and_ids_are_unique():
    items = list(instructions(36, seed=1))
    assert [item.kind for item in items] == list(TASKS) * 2
    assert len({item.id for item in items}) == 36
    assert items[:5] == list(instructions(5, seed=1))


def test_a_kind_can_be_left_out():
    kinds = tuple(kind for kind in TASKS if kind != "sum")
    assert {item.kind for item in instructions(100, 0, kinds=kinds)} == set(kinds)


def test_higher_levels_have_longer_inputs():
    for kind in ("repeat", "sum", "look_up", "reading"):
        low, high = (
            sum(len(item.input) for item in instructions(50, 0, kinds=(kind,), level=level))
            for level in (1, 4)
        )
        assert low < high, kind


def test_text_is_instruction_input_answer():
    item = instruction(Random(0), "sum")
    assert (
        item.text == f"Instruction: {item.instruction}\nInput: {item.input}\nAnswer: {item.output}"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "juggle"}, "kind: expected one of"),
        ({"split": "dev"}, "split: expected one of"),
        ({"level": 0}, "level: expected one of"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        instruction(Random(0), **arguments)
