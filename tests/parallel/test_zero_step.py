import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.parallel.zero_step import zero1_step
from llm_course.shapes import ShapeError


@settings(max_examples=20, deadline=None)
@given(n_ranks=st.integers(1, 4), size=st.integers(4, 11), seed=st.integers(0, 50))
def test_three_steps_are_pytorchs_adamw_on_the_mean_gradient(n_ranks, size, seed):
    generator = torch.Generator().manual_seed(seed)

    def draw():
        return torch.randn(size, generator=generator, dtype=torch.float64)

    weight = draw()
    whole = torch.nn.Parameter(weight.clone())
    optimizer = torch.optim.AdamW([whole], lr=0.1, betas=(0.9, 0.95), weight_decay=0.1)
    means = [part.clone() for part in torch.zeros_like(weight).tensor_split(n_ranks)]
    squares = [part.clone() for part in means]
    for step in range(1, 4):
        gradients = [draw() for _ in range(n_ranks)]
        whole.grad = torch.stack(gradients).mean(dim=0)
        optimizer.step()
        weight, means, squares = zero1_step(weight, gradients, means, squares, step, 0.1)
        torch.testing.assert_close(weight, whole.detach(), rtol=0, atol=1e-12)
    assert sum(len(mean) for mean in means) == size, "each moment is kept once"
    state = optimizer.state[whole]
    torch.testing.assert_close(torch.cat(means), state["exp_avg"])
    torch.testing.assert_close(torch.cat(squares), state["exp_avg_sq"])


def test_nothing_that_is_given_is_changed():
    given_ = [torch.ones(4), [torch.ones(4)] * 2, [torch.ones(2)] * 2, [torch.ones(2)] * 2]
    zero1_step(*given_, step=1, learning_rate=0.1)
    assert torch.equal(given_[0], torch.ones(4))
    assert all(torch.equal(moment, torch.ones(2)) for moments in given_[2:] for moment in moments)


def test_errors():
    two = [torch.zeros(2)] * 2
    with pytest.raises(ShapeError, match=r"gradients\[0\]: expected p=4, got 3"):
        zero1_step(torch.zeros(4), [torch.zeros(3)] * 2, two, two, 1, 0.1)
    with pytest.raises(ShapeError, match=r"means\[0\]: expected p=2, got 4"):
        zero1_step(torch.zeros(4), [torch.zeros(4)] * 2, [torch.zeros(4)] * 2, two, 1, 0.1)
    with pytest.raises(ValueError, match="squares: expected one for each of 2 ranks, got 1"):
        zero1_step(torch.zeros(4), [torch.zeros(4)] * 2, two, two[:1], 1, 0.1)
    with pytest.raises(ValueError, match="got none"):
        zero1_step(torch.zeros(4), [], [], [], 1, 0.1)
