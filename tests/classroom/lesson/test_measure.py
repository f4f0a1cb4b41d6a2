"""What the measuring functions count, against computations whose cost is known."""

import time

import pytest
import torch
import torch.nn.functional as F

from llm_course.classroom.lesson.measure import (
    growth_exponent,
    operations,
    peak_bytes,
    seconds_in_turn,
)

MIB = 2**20


def tensor(mib):
    return torch.zeros(mib * MIB // 4)


def test_the_peak_is_of_what_lives_at_once():
    def one_after_the_other():
        for _ in range(3):
            tensor(2)

    def together():
        return [tensor(2) for _ in range(3)]

    assert peak_bytes(one_after_the_other) == 2 * MIB
    assert peak_bytes(together) == 6 * MIB


def test_what_was_there_before_is_not_counted_and_what_is_replaced_is():
    held = tensor(8)
    assert peak_bytes(lambda: held.neg_()) == 0
    assert peak_bytes(lambda: held[: MIB // 4].neg()) == MIB
    assert peak_bytes(lambda: None) == 0


def test_the_backward_pass_is_counted():
    weight = torch.zeros(MIB // 4, requires_grad=True)
    # exp keeps its output for the backward pass: output, its gradient, and that of the weight.
    assert peak_bytes(lambda: weight.exp().sum().backward()) >= 2 * MIB


def test_the_matrix_inside_an_explicit_attention_is_seen():
    x = torch.zeros(1, 1, 512, 8)
    scores = 512 * 512 * 4

    def explicit():
        return (x @ x.transpose(-2, -1)).softmax(-1) @ x

    assert peak_bytes(explicit) >= 2 * scores
    assert peak_bytes(lambda: F.scaled_dot_product_attention(x, x, x)) < scores


def test_times_are_taken_in_turn_and_the_first_is_dropped():
    order = []
    functions = {
        "fast": lambda: order.append("fast"),
        "slow": lambda: (order.append("slow"), time.sleep(0.02)),
    }
    taken = seconds_in_turn(functions, repeats=2)
    assert order == ["fast", "slow"] * 3
    assert [len(times) for times in taken.values()] == [2, 2]
    assert min(taken["slow"]) >= 0.02


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, -0.5])
def test_exponents_of_powers(power):
    sizes = [64, 128, 1024]
    assert growth_exponent(sizes, [3 * n**power for n in sizes]) == pytest.approx(power, abs=1e-9)


def test_a_backward_pass_costs_two_products_more():
    x, weight = torch.ones(3, 5, requires_grad=True), torch.ones(5, 2, requires_grad=True)
    product = 2 * 3 * 5 * 2
    assert operations(lambda: x @ weight) == product
    assert operations(lambda: (x @ weight).sum().backward()) == 3 * product
    assert operations(lambda: torch.autograd.grad((x @ weight).sum(), [x])) == 2 * product


def test_attention_counts_its_two_products():
    query = torch.ones(1, 2, 7, 4)
    found = operations(lambda: F.scaled_dot_product_attention(query, query, query))
    assert found == 2 * (2 * 2 * 7 * 7 * 4)
